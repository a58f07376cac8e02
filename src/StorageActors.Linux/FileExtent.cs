using System.Runtime.InteropServices;

namespace StorageActors.Linux;

/// <summary>A run of a file's data on its device: struct fiemap_extent.</summary>
[StructLayout(LayoutKind.Explicit, Size = 56)]
internal readonly struct FileExtent
{
    [FieldOffset(0)] private readonly ulong _logical;
    [FieldOffset(8)] private readonly ulong _physical;
    [FieldOffset(16)] private readonly ulong _length;
    [FieldOffset(40)] private readonly uint _flags;

    /// <summary>Where it begins in the file.</summary>
    internal ulong Logical => _logical;

    /// <summary>Where it begins on the device.</summary>
    internal ulong Physical => _physical;

    internal ulong Length => _length;

    internal ExtentFlags Flags => (ExtentFlags)_flags;
}

/// <summary>FIEMAP_EXTENT_*.</summary>
[Flags]
internal enum ExtentFlags : uint
{
    None = 0,

    /// <summary>The file has no more.</summary>
    Last = 1,

    /// <summary>It has no place yet.</summary>
    Unknown = 2,
    DelayedAllocation = 4,

    /// <summary>Compressed, for one: other bytes lie on the device.</summary>
    Encoded = 8,
    Encrypted = 0x80,

    /// <summary>It lies in the inode, or with other files' ends.</summary>
    NotAligned = 0x100,
    Inline = 0x200,
    Tail = 0x400,

    /// <summary>Allocated, and reads as zeros.</summary>
    Unwritten = 0x800,

    /// <summary>Other files have it, too.</summary>
    Shared = 0x2000,
}
