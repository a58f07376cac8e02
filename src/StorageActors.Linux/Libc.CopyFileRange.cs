using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

internal static partial class Libc
{
    [LibraryImport(Library, EntryPoint = "copy_file_range", SetLastError = true)]
    private static unsafe partial nint CopyFileRange(
        SafeFileHandle source, long* sourceOffset, SafeFileHandle target, long* targetOffset, nuint length, uint flags);

    /// <summary>copy_file_range(2) between offsets, moving neither position; <paramref name="copied"/> is 0 at the end of the source.</summary>
    /// <remarks>EXDEV, EINVAL, EOPNOTSUPP and ENOSYS mean: copy by reading and writing.</remarks>
    internal static unsafe Errno TryCopyFileRange(
        SafeFileHandle source, long sourceOffset, SafeFileHandle target, long targetOffset, long length, out long copied)
    {
        do copied = CopyFileRange(source, &sourceOffset, target, &targetOffset, (nuint)length, 0); while (copied < 0 && Interrupted);
        if (copied >= 0) return Errno.None;
        copied = 0;
        return LastErrno;
    }
}
