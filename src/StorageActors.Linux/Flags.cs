namespace StorageActors.Linux;

/// <summary>RESOLVE_*: how openat2 may walk a path.</summary>
[Flags]
internal enum ResolveFlags : ulong
{
    None = 0,
    NoCrossDevice = 1,
    NoMagicLinks = 2,
    NoSymlinks = 4,
    Beneath = 8,
    InRoot = 0x10,
    Cached = 0x20,
}

/// <summary>AT_*.</summary>
[Flags]
internal enum AtFlags
{
    None = 0,
    SymlinkNoFollow = 0x100,
    RemoveDirectory = 0x200,
    SymlinkFollow = 0x400,
    NoAutomount = 0x800,
    EmptyPath = 0x1000,
    Recursive = 0x8000,
}

/// <summary>RENAME_*.</summary>
[Flags]
internal enum RenameFlags : uint
{
    None = 0,
    NoReplace = 1,
    Exchange = 2,
    Whiteout = 4,
}

/// <summary>XATTR_*.</summary>
[Flags]
internal enum XattrFlags
{
    None = 0,
    Create = 1,
    Replace = 2,
}

/// <summary>FALLOC_FL_*.</summary>
[Flags]
internal enum AllocationFlags
{
    None = 0,
    KeepSize = 1,
    PunchHole = 2,
    ZeroRange = 0x10,
}

/// <summary>SEEK_*.</summary>
internal enum SeekFrom
{
    Start = 0,
    Current = 1,
    End = 2,
    Data = 3,
    Hole = 4,
}

/// <summary>SYNC_FILE_RANGE_*.</summary>
[Flags]
internal enum SyncRangeFlags : uint
{
    WaitBefore = 1,
    Write = 2,
    WaitAfter = 4,
}

/// <summary>POSIX_FADV_*.</summary>
internal enum FileAdvice
{
    Normal = 0,
    Random = 1,
    Sequential = 2,
    WillNeed = 3,
    DontNeed = 4,
    NoReuse = 5,
}

/// <summary>FS_*_FL: inode flags as chattr sets them.</summary>
[Flags]
internal enum InodeFlags : uint
{
    None = 0,
    Sync = 0x8,
    Immutable = 0x10,
    AppendOnly = 0x20,
    NoDump = 0x40,
    NoAccessTime = 0x80,
    TopDirectory = 0x20000,
    NoCopyOnWrite = 0x800000,
}
