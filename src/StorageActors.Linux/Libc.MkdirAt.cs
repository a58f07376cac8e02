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
        return errno == Errno.None ? MkdirTerminated(directory, buffer, mode) : errno;
    }

    /// <summary>mkdir(2) of a path of the host.</summary>
    internal static void Mkdir(string path, uint mode) => Check(TryMkdir(path, mode), "mkdir", path);

    /// <summary>mkdir(2) of a path of the host; EEXIST is an answer.</summary>
    internal static unsafe Errno TryMkdir(string path, uint mode)
    {
        var buffer = stackalloc byte[NativePath.Size];
        var errno = NativePath.Terminate(path, buffer);
        return errno == Errno.None ? MkdirTerminated(CurrentDirectory, buffer, mode) : errno;
    }

    private static unsafe Errno MkdirTerminated(SafeFileHandle directory, byte* path, uint mode)
    {
        while (MkdirAt(directory, path, mode) != 0)
        {
            if (!Interrupted) return LastErrno;
        }
        return Errno.None;
    }
}
