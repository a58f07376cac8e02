using System.Text;
using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;

namespace StorageActors.Store;

/// <summary><c>trash/</c>: what was renamed away, under a fresh name each time, until it is deleted.</summary>
internal static class TrashDirectory
{
    /// <summary>Renames something into the trash and returns its path there; null when it was not there. One rename; not made durable here.</summary>
    internal static string? Take(StoreLayout layout, SafeFileHandle home, ReadOnlySpan<byte> name, string was)
    {
        using var trash = Libc.OpenDirectory(layout.TrashHome);
        var path = layout.NewTrashDirectory(was);
        var errno = Libc.TryRenameAt2(home, name, trash, Encoding.UTF8.GetBytes(Path.GetFileName(path)), RenameFlags.NoReplace);
        return errno switch
        {
            Errno.None => path,
            Errno.ENOENT => null,
            _ => throw Libc.Failure("renameat2", home, name, errno, $"to {path}"),
        };
    }
}
