using System.Runtime.InteropServices;

namespace StorageActors.Linux;

internal static partial class Libc
{
    private const int DontNeedMemory = 4; // MADV_DONTNEED

    [LibraryImport(Library, EntryPoint = "madvise", SetLastError = false)]
    private static unsafe partial int MAdvise(byte* address, nuint length, int advice);

    /// <summary>
    /// madvise(2): gives the memory of a pinned block back to the system, but for the pages that others have a part of; the block then reads as zeros there, and has memory again
    /// when it is written to. Best effort.
    /// </summary>
    internal static unsafe void Discard(byte[] pinned)
    {
        fixed (byte* start = pinned)
        {
            var page = (nuint)Environment.SystemPageSize;
            var (first, end) = (((nuint)start + page - 1) / page * page, ((nuint)start + (nuint)pinned.Length) / page * page);
            if (first < end) _ = MAdvise((byte*)first, end - first, DontNeedMemory);
        }
    }
}
