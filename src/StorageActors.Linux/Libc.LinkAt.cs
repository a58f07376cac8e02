using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

internal static partial class Libc
{
    [LibraryImport(Library, EntryPoint = "linkat", SetLastError = true)]
    private static unsafe partial int LinkAt(
        SafeFileHandle oldDirectory, byte* oldPath, SafeFileHandle newDirectory, byte* newPath, AtFlags flags);

    /// <summary>linkat(2). A symbolic link is linked itself, unless <paramref name="flags"/> say otherwise.</summary>
    internal static void LinkAt(
        SafeFileHandle oldDirectory, ReadOnlySpan<byte> oldName,
        SafeFileHandle newDirectory, ReadOnlySpan<byte> newName, AtFlags flags = AtFlags.None)
    {
        var errno = TryLinkAt(oldDirectory, oldName, newDirectory, newName, flags);
        if (errno != Errno.None) throw Failure2("linkat", oldDirectory, oldName, newDirectory, newName, errno);
    }

    /// <summary>Gives an open file a name: linkat(2) with AT_EMPTY_PATH, else through procfs where that needs a capability.</summary>
    internal static unsafe void LinkAt(SafeFileHandle file, SafeFileHandle newDirectory, ReadOnlySpan<byte> newName)
    {
        var errno = TryLinkAt(file, [], newDirectory, newName, AtFlags.EmptyPath);
        if (errno == Errno.ENOENT)   // no CAP_DAC_READ_SEARCH
        {
            using var pin = new HandlePin(file);
            var link = stackalloc byte[NativePath.Size];
            NativePath.OfDescriptor(pin.Descriptor, [], link);
            var length = new ReadOnlySpan<byte>(link, NativePath.Size).IndexOf((byte)0);
            errno = TryLinkAt(CurrentDirectory, new ReadOnlySpan<byte>(link, length), newDirectory, newName, AtFlags.SymlinkFollow);
        }
        if (errno != Errno.None) throw Failure2("linkat", file, [], newDirectory, newName, errno);
    }

    /// <summary>linkat(2); EEXIST, EMLINK and EXDEV are answers.</summary>
    internal static unsafe Errno TryLinkAt(
        SafeFileHandle oldDirectory, ReadOnlySpan<byte> oldName,
        SafeFileHandle newDirectory, ReadOnlySpan<byte> newName, AtFlags flags = AtFlags.None)
    {
        var oldPath = stackalloc byte[NativePath.Size];
        var newPath = stackalloc byte[NativePath.Size];
        var errno = NativePath.Terminate(oldName, oldPath);
        if (errno == Errno.None) errno = NativePath.Terminate(newName, newPath);
        if (errno != Errno.None) return errno;
        while (LinkAt(oldDirectory, oldPath, newDirectory, newPath, flags) != 0)
        {
            if (!Interrupted) return LastErrno;
        }
        return Errno.None;
    }

    private static LinuxException Failure2(
        string operation, SafeFileHandle oldDirectory, ReadOnlySpan<byte> oldName,
        SafeFileHandle newDirectory, ReadOnlySpan<byte> newName, Errno errno, string? flags = null) =>
        new(operation, PathText.Join(PathOf(oldDirectory), oldName), errno, PathText.Join(PathOf(newDirectory), newName), flags);
}
