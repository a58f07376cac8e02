using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

internal static partial class Libc
{
    private const int CloneFs = 0x200;

    [LibraryImport(Library, EntryPoint = "unshare", SetLastError = true)]
    private static partial int Unshare(int flags);

    [LibraryImport(Library, EntryPoint = "chdir", SetLastError = true)]
    private static unsafe partial int ChDir(byte* path);

    [LibraryImport(Library, EntryPoint = "fchdir", SetLastError = true)]
    private static partial int FChDirNative(SafeFileHandle directory);

    [LibraryImport(Library, EntryPoint = "umask")]
    private static partial uint UmaskNative(uint mask);

    /// <summary>
    /// unshare(CLONE_FS): the calling thread gets a working directory and a umask of its own. For a dedicated thread only,
    /// which must never go back to a pool: see <see cref="PrivateThread"/>.
    /// </summary>
    internal static Errno TryUnshareFs() => Unshare(CloneFs) == 0 ? Errno.None : LastErrno;

    /// <summary>chdir(2); only on a thread that has a working directory of its own.</summary>
    internal static unsafe void ChDir(string path)
    {
        var buffer = stackalloc byte[NativePath.Size];
        Check(NativePath.Terminate(path, buffer), "chdir", path);
        while (ChDir(buffer) != 0)
        {
            if (!Interrupted) throw new LinuxException("chdir", path, LastErrno);
        }
    }

    /// <summary>fchdir(2); only on a thread that has a working directory of its own.</summary>
    internal static void FChDir(SafeFileHandle directory)
    {
        while (FChDirNative(directory) != 0)
        {
            if (!Interrupted) throw Failure("fchdir", directory, LastErrno);
        }
    }

    /// <summary>umask(2), of the whole process: once, at the start of one that is ours. Returns the old mask.</summary>
    internal static uint Umask(uint mask) => UmaskNative(mask);
}
