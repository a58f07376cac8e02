using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

internal static partial class Libc
{
    [LibraryImport(Library, EntryPoint = "readlinkat", SetLastError = true)]
    private static unsafe partial nint ReadlinkAt(SafeFileHandle directory, byte* path, byte* buffer, nuint size);

    /// <summary>readlinkat(2): the link's content, byte for byte. An empty name reads an O_PATH descriptor of a link.</summary>
    internal static byte[] ReadlinkAt(SafeFileHandle directory, ReadOnlySpan<byte> name)
    {
        var errno = TryReadlinkAt(directory, name, out var target);
        return errno == Errno.None ? target : throw Failure("readlinkat", directory, name, errno);
    }

    /// <summary>readlinkat(2); ENOENT and EINVAL (not a link) are answers.</summary>
    internal static unsafe Errno TryReadlinkAt(SafeFileHandle directory, ReadOnlySpan<byte> name, out byte[] target)
    {
        target = [];
        var path = stackalloc byte[NativePath.Size];
        var buffer = stackalloc byte[NativePath.Size];
        var errno = NativePath.Terminate(name, path);
        if (errno != Errno.None) return errno;
        nint length;
        do length = ReadlinkAt(directory, path, buffer, NativePath.Size); while (length < 0 && Interrupted);
        if (length < 0) return LastErrno;
        target = new ReadOnlySpan<byte>(buffer, (int)length).ToArray();
        return Errno.None;
    }
}
