using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

internal static partial class Libc
{
    private const int OpenTreeNumber = 428;

    [LibraryImport(Library, EntryPoint = "syscall", SetLastError = true)]
    private static unsafe partial nint OpenTree(nint number, SafeFileHandle directory, byte* path, OpenTreeFlags flags);

    /// <summary>open_tree(2); with <see cref="OpenTreeFlags.Clone"/> a private copy of the mount, attached nowhere.</summary>
    internal static SafeFileHandle OpenTree(SafeFileHandle directory, ReadOnlySpan<byte> name, OpenTreeFlags flags)
    {
        var errno = TryOpenTree(directory, name, flags, out var tree);
        return errno == Errno.None ? tree : throw Failure("open_tree", directory, name, errno, flags.ToString());
    }

    /// <summary>open_tree(2); ENOSYS and EPERM are answers. An empty name is the directory itself.</summary>
    internal static unsafe Errno TryOpenTree(
        SafeFileHandle directory, ReadOnlySpan<byte> name, OpenTreeFlags flags, out SafeFileHandle tree)
    {
        tree = NoFile;
        var buffer = stackalloc byte[NativePath.Size];
        var errno = NativePath.Terminate(name, buffer);
        if (errno != Errno.None) return errno;
        var all = flags | (OpenTreeFlags)OpenFlags.CloseOnExec | (name.IsEmpty ? OpenTreeFlags.EmptyPath : OpenTreeFlags.None);
        do errno = Adopt(OpenTree(OpenTreeNumber, directory, buffer, all), out tree); while (errno == Errno.EINTR);
        return errno;
    }
}
