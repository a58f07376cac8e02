using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

internal static partial class Libc
{
    [LibraryImport(Library, EntryPoint = "renameat2", SetLastError = true)]
    private static unsafe partial int RenameAt2(
        SafeFileHandle oldDirectory, byte* oldPath, SafeFileHandle newDirectory, byte* newPath, RenameFlags flags);

    /// <summary>renameat2(2).</summary>
    internal static void RenameAt2(
        SafeFileHandle oldDirectory, ReadOnlySpan<byte> oldName,
        SafeFileHandle newDirectory, ReadOnlySpan<byte> newName, RenameFlags flags = RenameFlags.None)
    {
        var errno = TryRenameAt2(oldDirectory, oldName, newDirectory, newName, flags);
        if (errno == Errno.None) return;
        var text = flags == RenameFlags.None ? null : "RENAME_" + flags.ToString().ToUpperInvariant();
        throw Failure2("renameat2", oldDirectory, oldName, newDirectory, newName, errno, text);
    }

    /// <summary>renameat2(2); EEXIST (with <see cref="RenameFlags.NoReplace"/>), ENOENT and ENOTEMPTY are answers.</summary>
    internal static unsafe Errno TryRenameAt2(
        SafeFileHandle oldDirectory, ReadOnlySpan<byte> oldName,
        SafeFileHandle newDirectory, ReadOnlySpan<byte> newName, RenameFlags flags = RenameFlags.None)
    {
        var oldPath = stackalloc byte[NativePath.Size];
        var newPath = stackalloc byte[NativePath.Size];
        var errno = NativePath.Terminate(oldName, oldPath);
        if (errno == Errno.None) errno = NativePath.Terminate(newName, newPath);
        if (errno != Errno.None) return errno;
        while (RenameAt2(oldDirectory, oldPath, newDirectory, newPath, flags) != 0)
        {
            if (!Interrupted) return LastErrno;
        }
        return Errno.None;
    }
}
