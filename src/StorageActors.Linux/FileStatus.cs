using System.Runtime.InteropServices;

namespace StorageActors.Linux;

/// <summary>What statx(2) tells, in the kernel's own layout: 256 bytes, so pass it by reference.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal readonly struct FileStatus
{
    [FieldOffset(0)] private readonly uint _mask;
    [FieldOffset(8)] private readonly ulong _attributes;
    [FieldOffset(16)] private readonly uint _links;
    [FieldOffset(20)] private readonly uint _userId;
    [FieldOffset(24)] private readonly uint _groupId;
    [FieldOffset(28)] private readonly ushort _mode;
    [FieldOffset(32)] private readonly ulong _inode;
    [FieldOffset(40)] private readonly ulong _size;
    [FieldOffset(48)] private readonly ulong _blocks;
    [FieldOffset(56)] private readonly ulong _attributesMask;
    [FieldOffset(64)] private readonly Timestamp _access;
    [FieldOffset(80)] private readonly Timestamp _birth;
    [FieldOffset(96)] private readonly Timestamp _change;
    [FieldOffset(112)] private readonly Timestamp _modify;
    [FieldOffset(128)] private readonly uint _deviceMajor;
    [FieldOffset(132)] private readonly uint _deviceMinor;
    [FieldOffset(136)] private readonly uint _fileSystemMajor;
    [FieldOffset(140)] private readonly uint _fileSystemMinor;
    [FieldOffset(144)] private readonly ulong _mountId;

    /// <summary>STATX_BASIC_STATS, BTIME and MNT_ID.</summary>
    internal const uint Wanted = 0x1FFF;

    /// <summary>And STATX_MNT_ID_UNIQUE: where the kernel has it (6.8), <see cref="MountId"/> is one that no other mount of this boot has had or will have; elsewhere as without.</summary>
    internal const uint WantedWithUniqueMount = Wanted | 0x4000;

    /// <summary>Which fields the kernel filled: STATX_*.</summary>
    internal uint Mask => _mask;

    /// <summary>The whole st_mode, type and permissions.</summary>
    internal uint Mode => _mode;
    internal FileType Type => (FileType)(_mode >> 12);

    /// <summary>Permissions with setuid, setgid and sticky.</summary>
    internal uint Permissions => _mode & ModeBits.All;
    internal uint UserId => _userId;
    internal uint GroupId => _groupId;
    internal long Size => (long)_size;

    /// <summary>Allocated units of 512 bytes.</summary>
    internal long Blocks => (long)_blocks;
    internal uint Links => _links;
    internal ulong Inode => _inode;

    /// <summary>The file system's device.</summary>
    internal DeviceNumber FileSystem => new(_fileSystemMajor, _fileSystemMinor);

    /// <summary>The device that this node stands for.</summary>
    internal DeviceNumber Device => new(_deviceMajor, _deviceMinor);
    internal TimeSpec AccessTime => _access.ToTimeSpec();
    internal TimeSpec ModifyTime => _modify.ToTimeSpec();
    internal TimeSpec ChangeTime => _change.ToTimeSpec();
    internal TimeSpec BirthTime => _birth.ToTimeSpec();
    internal StatusAttributes Attributes => (StatusAttributes)_attributes;
    internal StatusAttributes KnownAttributes => (StatusAttributes)_attributesMask;
    internal ulong MountId => _mountId;

    internal bool IsDirectory => Type == FileType.Directory;
    internal bool IsRegular => Type == FileType.Regular;
    internal bool IsSymbolicLink => Type == FileType.SymbolicLink;

    /// <summary>Something is mounted exactly here (5.8; see <see cref="KnowsMountRoot"/>).</summary>
    internal bool IsMountRoot => (_attributes & (ulong)StatusAttributes.MountRoot) != 0;

    internal bool KnowsMountRoot => (_attributesMask & (ulong)StatusAttributes.MountRoot) != 0;

    /// <summary>The same with another owner.</summary>
    internal unsafe FileStatus WithOwner(uint user, uint group)
    {
        var copy = this;
        var fields = (uint*)&copy;
        (fields[5], fields[6]) = (user, group);   // _userId, _groupId
        return copy;
    }

    /// <summary>The same file: names may differ, contents cannot.</summary>
    internal bool IsSameFile(in FileStatus other) => _inode == other._inode && FileSystem == other.FileSystem;

    [StructLayout(LayoutKind.Sequential, Size = 16)]
    private readonly struct Timestamp
    {
        private readonly long _seconds;
        private readonly uint _nanoseconds;

        internal TimeSpec ToTimeSpec() => new(_seconds, _nanoseconds);
    }
}

/// <summary>STATX_ATTR_*.</summary>
[Flags]
internal enum StatusAttributes : ulong
{
    None = 0,
    Compressed = 0x4,
    Immutable = 0x10,
    Append = 0x20,
    NoDump = 0x40,
    Encrypted = 0x800,
    Automount = 0x1000,
    MountRoot = 0x2000,
    Verity = 0x100000,
    Dax = 0x200000,
}
