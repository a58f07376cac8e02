using System.Runtime.InteropServices;

namespace StorageActors.Linux;

/// <summary>O_* as x86-64 numbers them; <see cref="OpenFlagsExtensions.ToNative"/> gives what this processor's kernel takes.</summary>
[Flags]
internal enum OpenFlags
{
    ReadOnly = 0,
    WriteOnly = 1,
    ReadWrite = 2,
    Create = 0x40,
    Exclusive = 0x80,
    NoControllingTerminal = 0x100,
    Truncate = 0x200,
    Append = 0x400,
    NonBlocking = 0x800,
    DataSync = 0x1000,
    Direct = 0x4000,
    LargeFile = 0x8000,
    Directory = 0x10000,
    NoFollow = 0x20000,
    NoAccessTime = 0x40000,
    CloseOnExec = 0x80000,
    SyncMetadata = 0x100000,
    Sync = SyncMetadata | DataSync,
    Path = 0x200000,
    UnnamedBit = 0x400000,

    /// <summary>O_TMPFILE: a file without a name in the directory that is opened.</summary>
    TemporaryFile = UnnamedBit | Directory,
}

internal static class OpenFlagsExtensions
{
    private static readonly bool IsArm64 = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    private static readonly (OpenFlags Flag, string Name)[] Names =
    [
        (OpenFlags.WriteOnly, "O_WRONLY"), (OpenFlags.ReadWrite, "O_RDWR"), (OpenFlags.Create, "O_CREAT"),
        (OpenFlags.Exclusive, "O_EXCL"), (OpenFlags.NoControllingTerminal, "O_NOCTTY"), (OpenFlags.Truncate, "O_TRUNC"),
        (OpenFlags.Append, "O_APPEND"), (OpenFlags.NonBlocking, "O_NONBLOCK"), (OpenFlags.Sync, "O_SYNC"),
        (OpenFlags.DataSync, "O_DSYNC"), (OpenFlags.Direct, "O_DIRECT"), (OpenFlags.TemporaryFile, "O_TMPFILE"),
        (OpenFlags.Directory, "O_DIRECTORY"), (OpenFlags.NoFollow, "O_NOFOLLOW"), (OpenFlags.NoAccessTime, "O_NOATIME"),
        (OpenFlags.Path, "O_PATH"),
    ];

    /// <summary>The kernel's number, close-on-exec always included.</summary>
    internal static int ToNative(this OpenFlags flags)
    {
        var bits = (int)(flags | OpenFlags.CloseOnExec);
        if (!IsArm64) return bits;
        // arm64 has DIRECTORY and NOFOLLOW where x86-64 has DIRECT and LARGEFILE, and the other way round.
        const int low = 0xC000, high = 0x30000;
        return (bits & ~(low | high)) | ((bits & low) << 2) | ((bits & high) >> 2);
    }

    /// <summary>The flags in C's spelling, joined by bars; empty for a plain read-only open.</summary>
    internal static string ToText(this OpenFlags flags)
    {
        var names = new List<string>();
        foreach (var (flag, name) in Names)
        {
            if ((flags & flag) != flag) continue;
            names.Add(name);
            flags &= ~flag;
        }
        return string.Join('|', names);
    }
}
