using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

internal static partial class Libc
{
    [LibraryImport(Library, EntryPoint = "symlinkat", SetLastError = true)]
    private static unsafe partial int SymlinkAt(byte* target, SafeFileHandle directory, byte* path);

    /// <summary>symlinkat(2): makes <paramref name="name"/> a link that holds <paramref name="target"/> verbatim.</summary>
    internal static void SymlinkAt(ReadOnlySpan<byte> target, SafeFileHandle directory, ReadOnlySpan<byte> name)
    {
        var errno = TrySymlinkAt(target, directory, name);
        if (errno == Errno.None) return;
        throw new LinuxException("symlinkat", PathText.Join(PathOf(directory), name), errno, secondPath: PathText.Escape(target));
    }

    /// <summary>symlinkat(2); EEXIST is an answer.</summary>
    internal static unsafe Errno TrySymlinkAt(ReadOnlySpan<byte> target, SafeFileHandle directory, ReadOnlySpan<byte> name)
    {
        var text = stackalloc byte[NativePath.Size];
        var buffer = stackalloc byte[NativePath.Size];
        var errno = NativePath.Terminate(target, text);
        if (errno == Errno.None) errno = NativePath.Terminate(name, buffer);
        if (errno != Errno.None) return errno;
        while (SymlinkAt(text, directory, buffer) != 0)
        {
            if (!Interrupted) return LastErrno;
        }
        return Errno.None;
    }
}
