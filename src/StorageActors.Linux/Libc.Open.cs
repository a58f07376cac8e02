using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

internal static partial class Libc
{
    /// <summary>open(2) of a path of the host, such as a store's root.</summary>
    internal static SafeFileHandle Open(string path, OpenFlags flags, uint mode = 0)
    {
        var errno = TryOpen(path, flags, mode, out var file);
        return errno == Errno.None ? file : throw new LinuxException("open", path, errno, flags: flags.ToText());
    }

    /// <summary>open(2); <paramref name="file"/> is <see cref="NoFile"/> on failure.</summary>
    internal static unsafe Errno TryOpen(string path, OpenFlags flags, uint mode, out SafeFileHandle file)
    {
        var buffer = stackalloc byte[NativePath.Size];
        var errno = NativePath.Terminate(path, buffer);
        file = NoFile;
        return errno == Errno.None ? OpenTerminated(CurrentDirectory, buffer, flags, mode, out file) : errno;
    }

    /// <summary>A directory of the host, for reading and as the base of <c>…At</c> calls.</summary>
    internal static SafeFileHandle OpenDirectory(string path) => Open(path, OpenFlags.Directory);
}
