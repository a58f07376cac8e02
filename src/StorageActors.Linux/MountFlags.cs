namespace StorageActors.Linux;

/// <summary>MS_*: flags of mount(2).</summary>
[Flags]
internal enum MountFlags : ulong
{
    None = 0,
    ReadOnly = 1,
    NoSuid = 2,
    NoDevices = 4,
    NoExecute = 8,
    Remount = 0x20,
    NoAccessTime = 0x400,
    Bind = 0x1000,
    Move = 0x2000,
    Recursive = 0x4000,
    Silent = 0x8000,
    Unbindable = 0x20000,
    Private = 0x40000,
    Slave = 0x80000,
    Shared = 0x100000,
}

/// <summary>MNT_* and UMOUNT_*: flags of umount2(2).</summary>
[Flags]
internal enum UnmountFlags
{
    None = 0,
    Force = 1,
    Detach = 2,
    Expire = 4,
    NoFollow = 8,
}

/// <summary>MOUNT_ATTR_*: attributes of fsmount and mount_setattr.</summary>
[Flags]
internal enum MountAttributes : ulong
{
    None = 0,
    ReadOnly = 1,
    NoSuid = 2,
    NoDevices = 4,
    NoExecute = 8,
    NoAccessTime = 0x10,
    IdMap = 0x100000,
    NoSymlinkFollow = 0x200000,
}

/// <summary>OPEN_TREE_* together with the AT_* flags that open_tree knows.</summary>
[Flags]
internal enum OpenTreeFlags : uint
{
    None = 0,
    Clone = 1,
    SymlinkNoFollow = 0x100,
    NoAutomount = 0x800,
    EmptyPath = 0x1000,
    Recursive = 0x8000,
}
