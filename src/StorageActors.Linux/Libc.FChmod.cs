using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

internal static partial class Libc
{
    private const int FChmodAt2Number = 452;

    [LibraryImport(Library, EntryPoint = "fchmod", SetLastError = true)]
    private static partial int FChmodNative(SafeFileHandle file, uint mode);

    [LibraryImport(Library, EntryPoint = "chmod", SetLastError = true)]
    private static unsafe partial int Chmod(byte* path, uint mode);

    [LibraryImport(Library, EntryPoint = "syscall", SetLastError = true)]
    private static unsafe partial nint FChmodAt2(nint number, SafeFileHandle directory, byte* path, uint mode, AtFlags flags);

    /// <summary>Sets the permissions of an open descriptor, independent of the umask; O_PATH ones go through procfs.</summary>
    internal static void FChmod(SafeFileHandle file, uint mode) => Check(TryFChmod(file, mode), "fchmod", file);

    /// <summary>fchmodat(2), not following a link: EOPNOTSUPP for a link itself.</summary>
    internal static unsafe void FChmodAt(SafeFileHandle directory, ReadOnlySpan<byte> name, uint mode)
    {
        var buffer = stackalloc byte[NativePath.Size];
        var errno = NativePath.Terminate(name, buffer);
        if (errno == Errno.None && !KernelFeatures.FChmodAt2) errno = Errno.ENOSYS;
        if (errno == Errno.None)
        {
            nint result;
            do result = FChmodAt2(FChmodAt2Number, directory, buffer, mode, AtFlags.SymlinkNoFollow); while (result < 0 && Interrupted);
            if (result == 0) return;
            errno = LastErrno;
        }
        // fchmodat2 is of 6.6, and filters answer unknown calls with EPERM.
        if (errno is not (Errno.ENOSYS or Errno.EPERM)) throw Failure("fchmodat2", directory, name, errno, "AT_SYMLINK_NOFOLLOW");
        if (errno == Errno.ENOSYS) KernelFeatures.FChmodAt2 = false;
        using var file = OpenAt(directory, name, OpenFlags.Path | OpenFlags.NoFollow);
        Check(TryFChmod(file, mode), "fchmodat", directory, name);
    }

    private static unsafe Errno TryFChmod(SafeFileHandle file, uint mode)
    {
        int result;
        do result = FChmodNative(file, mode); while (result != 0 && Interrupted);
        if (result == 0) return Errno.None;
        if (LastErrno != Errno.EBADF || file.IsClosed) return LastErrno;

        using var pin = new HandlePin(file);
        var path = stackalloc byte[NativePath.Size];
        NativePath.OfDescriptor(pin.Descriptor, [], path);
        do result = Chmod(path, mode); while (result != 0 && Interrupted);
        return result == 0 ? Errno.None : LastErrno;
    }
}
