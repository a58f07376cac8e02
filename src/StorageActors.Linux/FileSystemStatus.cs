using System.Runtime.InteropServices;

namespace StorageActors.Linux;

/// <summary>What statfs(2) tells, in the kernel's own layout.</summary>
[StructLayout(LayoutKind.Explicit, Size = 120)]
internal readonly struct FileSystemStatus
{
    [FieldOffset(0)] private readonly long _type;
    [FieldOffset(8)] private readonly long _blockSize;
    [FieldOffset(16)] private readonly ulong _blocks;
    [FieldOffset(24)] private readonly ulong _freeBlocks;
    [FieldOffset(32)] private readonly ulong _availableBlocks;
    [FieldOffset(40)] private readonly ulong _inodes;
    [FieldOffset(48)] private readonly ulong _freeInodes;
    [FieldOffset(64)] private readonly long _nameLength;
    [FieldOffset(72)] private readonly long _fragmentSize;
    [FieldOffset(80)] private readonly ulong _flags;

    internal FsMagic Type => (FsMagic)(uint)_type;
    internal long BlockSize => _fragmentSize != 0 ? _fragmentSize : _blockSize;

    /// <summary>Counted in <see cref="BlockSize"/>.</summary>
    internal ulong Blocks => _blocks;
    internal ulong FreeBlocks => _freeBlocks;

    /// <summary>Free blocks that an unprivileged user may take.</summary>
    internal ulong AvailableBlocks => _availableBlocks;

    /// <summary>0 where the file system makes inodes as it needs them.</summary>
    internal ulong Inodes => _inodes;
    internal ulong FreeInodes => _freeInodes;
    internal int NameLength => (int)_nameLength;
    internal bool IsReadOnly => (_flags & 1) != 0;

    /// <summary>What the mount was made with, of what statfs tells: ST_* has other numbers than MOUNT_ATTR_*.</summary>
    internal MountAttributes Attributes =>
        (MountAttributes)(_flags & 0xF) | ((_flags & 0x400) != 0 ? MountAttributes.NoAccessTime : MountAttributes.None);
}

/// <summary>Magic numbers of file systems that matter to a layer store.</summary>
internal enum FsMagic : uint
{
    Aufs = 0x61756673,
    Bcachefs = 0xCA451A4E,
    Btrfs = 0x9123683E,
    Ecryptfs = 0xF15F,
    Erofs = 0xE0F5E1E2,
    Ext = 0xEF53,
    F2fs = 0xF2F52010,
    Fuse = 0x65735546,
    Nfs = 0x6969,
    Overlay = 0x794C7630,
    Proc = 0x9FA0,
    SquashFs = 0x73717368,
    Tmpfs = 0x01021994,
    Xfs = 0x58465342,
    Zfs = 0x2FC12FC1,
}
