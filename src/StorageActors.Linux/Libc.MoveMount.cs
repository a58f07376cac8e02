using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

internal static partial class Libc
{
    private const int MoveMountNumber = 429;
    private const uint FromEmptyPath = 4;
    private const uint ToEmptyPath = 0x40;

    [LibraryImport(Library, EntryPoint = "syscall", SetLastError = true)]
    private static unsafe partial nint MoveMount(
        nint number, SafeFileHandle from, byte* fromPath, SafeFileHandle to, byte* toPath, uint flags);

    /// <summary>move_mount(2): attaches a mount to a path of the host.</summary>
    /// <remarks>Close the mount's descriptor afterwards: while it is open a plain unmount says EBUSY.</remarks>
    internal static unsafe void MoveMount(SafeFileHandle mount, string target)
    {
        var buffer = stackalloc byte[NativePath.Size];
        var errno = NativePath.Terminate(target, buffer);
        if (errno == Errno.None) errno = MoveMountTerminated(mount, CurrentDirectory, buffer, FromEmptyPath);
        if (errno != Errno.None) throw new LinuxException("move_mount", target, errno);
    }

    /// <summary>move_mount(2): attaches a mount to a name below a directory; an empty name is the directory itself.</summary>
    internal static unsafe void MoveMount(SafeFileHandle mount, SafeFileHandle directory, ReadOnlySpan<byte> name)
    {
        var buffer = stackalloc byte[NativePath.Size];
        var errno = NativePath.Terminate(name, buffer);
        if (errno == Errno.None)
        {
            errno = MoveMountTerminated(mount, directory, buffer, FromEmptyPath | (name.IsEmpty ? ToEmptyPath : 0));
        }
        Check(errno, "move_mount", directory, name);
    }

    private static unsafe Errno MoveMountTerminated(SafeFileHandle mount, SafeFileHandle directory, byte* path, uint flags)
    {
        byte empty = 0;
        while (MoveMount(MoveMountNumber, mount, &empty, directory, path, flags) != 0)
        {
            if (!Interrupted) return LastErrno;
        }
        return Errno.None;
    }
}
