using StorageActors.Catalog;
using StorageActors.Drivers;
using StorageActors.Drivers.Mounting;
using StorageActors.Drivers.Overlay;
using StorageActors.Journal;
using StorageActors.Layers;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.Recovery;
using StorageActors.Store;

namespace StorageActors.Reading;

/// <summary>One moment of a store that this process does not own, as its journal has it.</summary>
/// <param name="Layout">Where it lies.</param>
/// <param name="Format">What it is.</param>
/// <param name="Catalog">Its layers and images.</param>
/// <param name="Mounts">What is mounted and held; null when it was not asked for, or only an owner can say it.</param>
internal sealed record StoreReading(StoreLayout Layout, StoreFormat Format, CatalogState Catalog, IReadOnlyList<MountRecord>? Mounts)
{
    private const string CatalogId = "catalog";

    /// <summary>
    /// Reads a store, with an owner or without. What an owner acknowledged is in its journal. Without one, the journal has to agree with the directories: what a
    /// crash left between them is settled by the next owner, so there is no reading until then.
    /// </summary>
    /// <param name="root">Its root.</param>
    /// <param name="withMounts">Whether mounts are asked for, too.</param>
    /// <param name="leavesNoTrace">Whether nothing may be made in the root, not even the shared index of a journal that nobody has open.</param>
    /// <returns>Null when there is no store, or none that can be read from outside.</returns>
    /// <exception cref="StorageException">This version must not read the store.</exception>
    internal static StoreReading? TryRead(string root, bool withMounts, bool leavesNoTrace = false)
    {
        try
        {
            if (Libc.TryStat(root, out _) != Errno.None || StoreFormat.Read(root, toReadOnly: true) is not { } format) return null;
            var owner = OwnerLock.Find(root);
            if (owner is { OwnJournal: not true }) return null;
            var layout = new StoreLayout(root, format.Driver);
            return JournalAccess.Read(
                layout.Journal, owner is not null, journal => Read(layout, format, journal, isOwned: owner is not null, withMounts), leavesNoTrace);
        }
        catch (Exception e) when (e is JournalReadException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
        catch (StorageException e) when (JournalFailure.IsUnreadable(e))
        {
            return null;
        }
        catch (DriverException e)
        {
            throw new StorageException(e.Error, e);
        }
    }

    /// <summary>Which layer is mounted at a path.</summary>
    internal LayerId? FindMount(string path) => Mounts?.FirstOrDefault(mount => string.Equals(mount.Path, path, StringComparison.Ordinal))?.Layer;

    private static StoreReading? Read(StoreLayout layout, StoreFormat format, JournalFile journal, bool isOwned, bool withMounts)
    {
        var catalog = CatalogState.Empty.Apply(journal.Read(CatalogId));
        if (!isOwned && !CompareStore.Agrees(catalog, layout)) return null;
        // An owner's leases are in its memory first; without one the journal has them all.
        return new StoreReading(layout, format, catalog, withMounts && !isOwned ? ReadMounts(layout, catalog, journal) : null);
    }

    /// <summary>What the next owner would take over; null when it would have to change something first, or mount.</summary>
    private static List<MountRecord>? ReadMounts(StoreLayout layout, CatalogState catalog, JournalFile journal)
    {
        if (layout.Driver != OverlayDriver.DriverName) return null;
        var (mounts, bootId) = (new List<MountRecord>(), ProcFs.BootId());
        foreach (var layer in catalog.ListLayers())
        {
            var location = layout.Locate(layer);
            var path = LayerDirectory.Of(location).Merged;
            if (MountPoint.Find(path) is not { } mounted) continue;
            var setup = new LayerSetup(location, [], layer.Kind, layer.Created, layer.Damage);
            var state = journal.Read(setup.PersistenceId).Aggregate(new LayerState(layer.Id, layer.Kind, layer.Damage), static (state, happened) => state.Apply(happened));
            foreach (var lease in state.Void(bootId, run: "").ToList()) state = state.Apply(new LeaseEvent.Released(lease.Lease));
            foreach (var (lease, _) in state.WhyOver(TimeProvider.System.GetUtcNow())) state = state.Apply(new LeaseEvent.Released(lease.Lease));
            if (state.Leases.IsEmpty) return null;
            mounts.Add(state.Mounted(new ActiveMount(path, mounted.IsReadOnly ? MountMode.ReadOnly : MountMode.ReadWrite) { Ids = IdsMark.Read(LayerDirectory.Of(location)) }, null).Record!);
        }

        mounts.Sort(static (one, other) => string.CompareOrdinal(one.Layer.Value, other.Layer.Value));
        mounts.AddRange(ClientHolds.Show(catalog.ListLayers()));
        return mounts;
    }
}
