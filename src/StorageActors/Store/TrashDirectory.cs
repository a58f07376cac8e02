using System.Text;
using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;

namespace StorageActors.Store;

/// <summary><c>trash/</c>: what was renamed away, under a fresh name each time, until it is deleted.</summary>
internal static class TrashDirectory
{
    /// <summary>
    /// Renames something into the trash under the file lock, durable on return; null when it was not there. When it cannot be made durable it is put back:
    /// whoever is refused must find what he had.
    /// </summary>
    /// <param name="layout">The store.</param>
    /// <param name="storeLock">Its lock.</param>
    /// <param name="operation">Who takes the lock.</param>
    /// <param name="home">The directory that it lies in.</param>
    /// <param name="name">Its name there.</param>
    /// <param name="was">What its name in the trash begins with.</param>
    /// <param name="renamed">The crash point between the rename and its sync, if there is one.</param>
    internal static string? TakeDurably(
        StoreLayout layout, StoreLock storeLock, string operation, SafeFileHandle home, byte[] name, string was, string? renamed = null)
    {
        using var trash = Libc.OpenDirectory(layout.TrashHome);
        var place = layout.NewTrashDirectory(was);
        var trashed = Encoding.UTF8.GetBytes(Path.GetFileName(place));
        var errno = storeLock.Under(operation, () => Libc.TryRenameAt2(home, name, trash, trashed, RenameFlags.NoReplace), trash, home);
        var path = Taken(errno, home, name, place);
        if (renamed is not null) CrashPoint.Reached(renamed);
        try
        {
            Libc.FSync(home);
            return path;
        }
        catch (LinuxException) when (path is not null)
        {
            storeLock.Under(operation, () => Libc.TryRenameAt2(trash, trashed, home, name, RenameFlags.NoReplace));
            throw;
        }
    }

    /// <summary>Renames something into the trash and returns its path there; null when it was not there. One rename; not made durable here.</summary>
    internal static string? Take(StoreLayout layout, SafeFileHandle home, ReadOnlySpan<byte> name, string was)
    {
        using var trash = Libc.OpenDirectory(layout.TrashHome);
        var path = layout.NewTrashDirectory(was);
        return Taken(Libc.TryRenameAt2(home, name, trash, Encoding.UTF8.GetBytes(Path.GetFileName(path)), RenameFlags.NoReplace), home, name, path);
    }

    private static string? Taken(Errno errno, SafeFileHandle home, ReadOnlySpan<byte> name, string path) => errno switch
    {
        Errno.None => path,
        Errno.ENOENT => null,
        _ => throw Libc.Failure("renameat2", home, name, errno, $"to {path}"),
    };
}
