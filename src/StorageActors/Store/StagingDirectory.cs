using System.Text;
using StorageActors.Drivers;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Store;

/// <summary>
/// <c>staging/&lt;ticket&gt;</c>: a lock that its owner holds for as long as it lives, and the layer's directory. Who can take the lock knows that the
/// owner is dead; a directory without a lock file has none either.
/// </summary>
internal static class StagingDirectory
{
    private const uint OwnerOnly = 0x1C0; // 0700

    /// <summary>Makes the directory of a ticket that nobody has, locked, with an empty directory for the layer.</summary>
    internal static LockedStaging Create(StoreLayout layout, TicketId ticket, LayerId layer, bool writable, IdMap? ids = null)
    {
        using var home = Libc.OpenDirectory(layout.StagingHome);
        var name = Encoding.UTF8.GetBytes(ticket.Value);
        Libc.MkdirAt(home, name, OwnerOnly);
        FileLock? held = null;
        try
        {
            // A sweeper that has it renames the directory at once. It is waited for: made again under the same name before that, the directory would be renamed in place of this one.
            held = FileLock.Take(layout.StagingLock(ticket));
            using var directory = Libc.OpenDirectoryAt(home, name);
            Libc.MkdirAt(directory, "layer"u8, OwnerOnly);
            return new LockedStaging(new StagedLayer(layer, layout.StagedLayer(ticket), writable) { Ids = ids ?? IdMap.Host }, held!);
        }
        catch (LinuxException e) when (e.Errno == Errno.ENOENT)
        {
            held?.Dispose();
            throw Swept(layout, ticket, e);
        }
        catch
        {
            DirectoryTree.Remove(home, name);
            held?.Dispose();
            throw;
        }
    }

    /// <summary>The one rename that commits a layer; durable on return if that is asked. When it cannot be made so, it is taken back.</summary>
    /// <exception cref="PermanentDriverException">The parent is gone, or the id is taken.</exception>
    internal static void Commit(StoreLayout layout, StoreLock storeLock, StagedLayer staged, LayerId? parent, bool durable)
    {
        using var home = Libc.OpenDirectory(layout.DriverHome);
        using var staging = Libc.OpenDirectory(Path.GetDirectoryName(staged.Path)!);
        using var layer = Libc.OpenDirectoryAt(staging, "layer"u8);   // its entry ".." changes, too
        var name = Encoding.UTF8.GetBytes(staged.Id.Value);
        var below = parent is { } id ? Encoding.UTF8.GetBytes(id.Value) : null;
        CrashPoint.Reached(CrashPoint.BeforeRename);
        var errno = storeLock.Under("commit layer", () =>
            below is not null && Libc.TryFStatAt(home, below, out _) != Errno.None ? Errno.ENODATA
                : Libc.TryRenameAt2(staging, "layer"u8, home, name, RenameFlags.NoReplace), layer, staging, home);
        CrashPoint.Reached(CrashPoint.AfterRename);
        switch (errno)
        {
            case Errno.None: break;
            case Errno.ENODATA: throw Refuse(StorageErrorCode.NotFound, $"the parent {parent} was removed meanwhile; apply it again, then this", layout.LayerDirectory(parent!.Value), StorageErrorReason.UnknownParent, parent);
            case Errno.EEXIST: throw Refuse(StorageErrorCode.AlreadyExists, $"the directory of layer {staged.Id} exists; run check", layout.LayerDirectory(staged.Id), StorageErrorReason.DuplicateId, staged.Id);
            default: throw Libc.Failure("renameat2", home, name, errno, "RENAME_NOREPLACE");
        }

        if (!durable) return;
        try
        {
            Libc.FSync(home); // The rename is one transaction of the file system: with the new name the old one is gone.
        }
        catch (LinuxException)
        {
            // Nobody knows of the layer yet. Should this fail, too, the next start adopts it, as after a crash.
            storeLock.Under("commit layer", () => Libc.TryRenameAt2(home, name, staging, "layer"u8, RenameFlags.NoReplace));
            throw;
        }

        CrashPoint.Reached(CrashPoint.RenameDurable);
    }

    /// <summary>
    /// Takes a ticket's directory away, whose lock the caller holds: at once when the layer was renamed out of it, else by a rename to the trash, which is
    /// returned.
    /// </summary>
    internal static string? Discard(StoreLayout layout, TicketId ticket)
    {
        using var home = Libc.OpenDirectory(layout.StagingHome);
        var name = Encoding.UTF8.GetBytes(ticket.Value);
        if (Libc.TryStat(layout.StagedLayer(ticket), out _) == Errno.None) return TrashDirectory.Take(layout, home, name, ticket.Value);
        DirectoryTree.Remove(home, name);
        return null;
    }

    /// <summary>A sweeper takes a directory that has no lock yet for stale; whoever makes it tries again.</summary>
    private static TransientDriverException Swept(StoreLayout layout, TicketId ticket, Exception? inner) => new(
        new StorageError(StorageErrorCode.Busy, "stage", "the staging was swept while it was made", layout.StagingDirectory(ticket)), inner);

    private static PermanentDriverException Refuse(StorageErrorCode code, string what, string path, StorageErrorReason reason, LayerId? layer) =>
        new(new StorageError(code, "commit", what, path, Reason: reason, Layer: layer));
}

/// <summary>A layer being made, and the lock that says that its maker lives.</summary>
internal sealed record LockedStaging(StagedLayer Layer, FileLock Lock);
