using System.Runtime.InteropServices;

namespace StorageActors.Linux;

internal static partial class Libc
{
    [LibraryImport(Library, EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);

    [LibraryImport(Library, EntryPoint = "geteuid")]
    private static partial uint GetEuidNative();

    [LibraryImport(Library, EntryPoint = "getegid")]
    private static partial uint GetEgidNative();

    /// <summary>Whether a process with this number exists, ours to signal or not. Numbers are used again: compare start times, too.</summary>
    internal static bool ProcessExists(int pid) => pid > 0 && (Kill(pid, 0) == 0 || LastErrno != Errno.ESRCH);

    /// <summary>geteuid(2).</summary>
    internal static uint GetEuid() => GetEuidNative();

    /// <summary>getegid(2).</summary>
    internal static uint GetEgid() => GetEgidNative();

    /// <summary>getpid(2).</summary>
    internal static int GetPid() => Environment.ProcessId;
}
