using System.Runtime.InteropServices;

namespace StorageActors.Linux;

internal static partial class Libc
{
    private const int OpenFiles = 7;

    [LibraryImport(Library, EntryPoint = "getrlimit", SetLastError = true)]
    private static unsafe partial int GetRLimit(int resource, ulong* limits);

    [LibraryImport(Library, EntryPoint = "setrlimit", SetLastError = true)]
    private static unsafe partial int SetRLimit(int resource, ulong* limits);

    /// <summary>RLIMIT_NOFILE: how many descriptors this process may have open, and how far it may raise that itself.</summary>
    internal static unsafe (ulong Soft, ulong Hard) GetOpenFileLimit()
    {
        var limits = stackalloc ulong[2];
        return GetRLimit(OpenFiles, limits) == 0 ? (limits[0], limits[1]) : throw new LinuxException("getrlimit", "RLIMIT_NOFILE", LastErrno);
    }

    /// <summary>Raises the limit of open descriptors as far as the process may, and returns it.</summary>
    internal static unsafe ulong RaiseOpenFileLimit()
    {
        var (soft, hard) = GetOpenFileLimit();
        var limits = stackalloc ulong[] { hard, hard };
        return soft < hard && SetRLimit(OpenFiles, limits) == 0 ? hard : soft;
    }
}
