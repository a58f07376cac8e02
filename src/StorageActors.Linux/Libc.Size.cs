using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

internal static partial class Libc
{
    [LibraryImport(Library, EntryPoint = "ftruncate", SetLastError = true)]
    private static partial int FTruncateNative(SafeFileHandle file, long length);

    [LibraryImport(Library, EntryPoint = "lseek", SetLastError = true)]
    private static partial long LSeekNative(SafeFileHandle file, long offset, SeekFrom origin);

    [LibraryImport(Library, EntryPoint = "fallocate", SetLastError = true)]
    private static partial int FAllocateNative(SafeFileHandle file, AllocationFlags flags, long offset, long length);

    [LibraryImport(Library, EntryPoint = "posix_fadvise", SetLastError = false)]
    private static partial int FAdviseNative(SafeFileHandle file, long offset, long length, FileAdvice advice);

    /// <summary>ftruncate(2): cuts or extends (with a hole) to <paramref name="length"/>.</summary>
    internal static void FTruncate(SafeFileHandle file, long length)
    {
        while (FTruncateNative(file, length) != 0)
        {
            if (!Interrupted) throw Failure("ftruncate", file, LastErrno);
        }
    }

    /// <summary>lseek(2): the new position.</summary>
    internal static long LSeek(SafeFileHandle file, long offset, SeekFrom origin)
    {
        var position = LSeekNative(file, offset, origin);
        return position >= 0 ? position : throw Failure("lseek", file, LastErrno);
    }

    /// <summary>lseek(2); ENXIO (no data behind <paramref name="offset"/>) and EINVAL (cannot tell) are answers.</summary>
    internal static Errno TryLSeek(SafeFileHandle file, long offset, SeekFrom origin, out long position)
    {
        position = LSeekNative(file, offset, origin);
        return position >= 0 ? Errno.None : LastErrno;
    }

    /// <summary>fallocate(2); EOPNOTSUPP and ENOSPC are answers.</summary>
    internal static Errno TryFAllocate(SafeFileHandle file, AllocationFlags flags, long offset, long length)
    {
        while (FAllocateNative(file, flags, offset, length) != 0)
        {
            if (!Interrupted) return LastErrno;
        }
        return Errno.None;
    }

    /// <summary>posix_fadvise(2): a hint, so a refusal is nobody's concern.</summary>
    internal static void FAdvise(SafeFileHandle file, long offset, long length, FileAdvice advice) =>
        _ = FAdviseNative(file, offset, length, advice);
}
