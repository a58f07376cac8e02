using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

internal static partial class Libc
{
    [LibraryImport(Library, EntryPoint = "openat", SetLastError = true)]
    private static unsafe partial int OpenAt(SafeFileHandle directory, byte* path, int flags, uint mode);

    /// <summary>openat(2). The mode is subject to the process's umask.</summary>
    internal static SafeFileHandle OpenAt(SafeFileHandle directory, ReadOnlySpan<byte> name, OpenFlags flags, uint mode = 0)
    {
        var errno = TryOpenAt(directory, name, flags, mode, out var file);
        return errno == Errno.None ? file : throw Failure("openat", directory, name, errno, flags.ToText());
    }

    /// <summary>openat(2); <paramref name="file"/> is <see cref="NoFile"/> on failure.</summary>
    internal static unsafe Errno TryOpenAt(
        SafeFileHandle directory, ReadOnlySpan<byte> name, OpenFlags flags, uint mode, out SafeFileHandle file)
    {
        var buffer = stackalloc byte[NativePath.Size];
        var errno = NativePath.Terminate(name, buffer);
        file = NoFile;
        return errno == Errno.None ? OpenTerminated(directory, buffer, flags, mode, out file) : errno;
    }

    /// <summary>A directory for reading and as the base of further calls; never through a symbolic link.</summary>
    internal static SafeFileHandle OpenDirectoryAt(SafeFileHandle directory, ReadOnlySpan<byte> name) =>
        OpenAt(directory, name, OpenFlags.Directory | OpenFlags.NoFollow);

    private static unsafe Errno OpenTerminated(SafeFileHandle directory, byte* path, OpenFlags flags, uint mode, out SafeFileHandle file)
    {
        var native = flags.ToNative();
        int descriptor;
        do descriptor = OpenAt(directory, path, native, mode); while (descriptor < 0 && Interrupted);
        return Adopt(descriptor, out file);
    }

    private static Errno Adopt(nint descriptor, out SafeFileHandle file)
    {
        if (descriptor < 0)
        {
            file = NoFile;
            return LastErrno;
        }
        file = new SafeFileHandle(descriptor, ownsHandle: true);
        return Errno.None;
    }
}
