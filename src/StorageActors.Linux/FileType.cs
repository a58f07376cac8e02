using System.Runtime.InteropServices;

namespace StorageActors.Linux;

/// <summary>What a directory entry or inode is: DT_*, which is S_IFMT shifted down.</summary>
internal enum FileType : byte
{
    Unknown = 0,
    Fifo = 1,
    CharacterDevice = 2,
    Directory = 4,
    BlockDevice = 6,
    Regular = 8,
    SymbolicLink = 10,
    Socket = 12,
}

/// <summary>The permission half of st_mode.</summary>
internal static class ModeBits
{
    internal const uint SetUserId = 0x800;
    internal const uint SetGroupId = 0x400;
    internal const uint Sticky = 0x200;
    internal const uint Permissions = 0x1FF;

    /// <summary>Permissions with setuid, setgid and sticky.</summary>
    internal const uint All = 0xFFF;
    internal const uint TypeMask = 0xF000;
}

/// <summary>A device's number.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct DeviceNumber(uint Major, uint Minor)
{
    /// <summary>The C library's dev_t (makedev).</summary>
    internal ulong ToNative() =>
        (Minor & 0xFFul) | ((Major & 0xFFFul) << 8) | ((Minor & ~0xFFul) << 12) | ((Major & ~0xFFFul) << 32);
}

/// <summary>A point in time as inodes hold it.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct TimeSpec(long Seconds, long Nanoseconds)
{
    /// <summary>UTIME_NOW.</summary>
    internal static readonly TimeSpec Now = new(0, 0x3FFFFFFF);

    /// <summary>UTIME_OMIT: leaves the time as it is.</summary>
    internal static readonly TimeSpec Omit = new(0, 0x3FFFFFFE);

    /// <summary>Whether it is later.</summary>
    internal bool IsAfter(TimeSpec other) => Seconds > other.Seconds || (Seconds == other.Seconds && Nanoseconds > other.Nanoseconds);
}
