using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

internal static partial class Libc
{
    [LibraryImport(Library, EntryPoint = "flock", SetLastError = true)]
    private static partial int Flock(SafeFileHandle file, FlockOperation operation);

    /// <summary>flock(2), not waiting; false when another open file holds it.</summary>
    internal static bool TryFlock(SafeFileHandle file, bool exclusive)
    {
        while (Flock(file, FlockOperation.NonBlocking | (exclusive ? FlockOperation.Exclusive : FlockOperation.Shared)) != 0)
        {
            var errno = LastErrno;
            if (errno == Errno.EAGAIN) return false;
            if (errno != Errno.EINTR) throw Failure("flock", file, errno);
        }
        return true;
    }

    /// <summary>Gives a flock(2) lock back.</summary>
    internal static void UnFlock(SafeFileHandle file)
    {
        while (Flock(file, FlockOperation.Unlock) != 0)
        {
            if (!Interrupted) throw Failure("flock", file, LastErrno, "LOCK_UN");
        }
    }

    [Flags]
    private enum FlockOperation
    {
        Shared = 1,
        Exclusive = 2,
        NonBlocking = 4,
        Unlock = 8,
    }
}
