using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

internal static partial class Libc
{
    [LibraryImport(Library, EntryPoint = "mkdirat", SetLastError = true)]
    private static unsafe partial int MkdirAt(SafeFileHandle directory, byte* path, uint mode);

    /// <summary>mkdirat(2). The mode is subject to the process's umask.</summary>
    internal static void MkdirAt(SafeFileHandle directory, ReadOnlySpan<byte> name, uint mode) =>
        Check(TryMkdirAt(directory, name, mode), "mkdirat", directory, name);

    /// <summary>mkdirat(2); EEXIST is an answer, not an accident.</summary>
    internal static unsafe Errno TryMkdirAt(SafeFileHandle directory, ReadOnlySpan<byte> name, uint mode)
    {
        var buffer = stackalloc byte[NativePath.Size];
        var errno = NativePath.Terminate(name, buffer);
        if (errno != Errno.None) return errno;
        while (MkdirAt(directory, buffer, mode) != 0)
        {
            if (!Interrupted) return LastErrno;
        }
        return Errno.None;
    }
}
