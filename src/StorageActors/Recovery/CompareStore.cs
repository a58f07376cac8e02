using StorageActors.Catalog;
using StorageActors.DriverOperations;
using StorageActors.Protocol;
using StorageActors.Store;

namespace StorageActors.Recovery;

/// <summary>
/// Whether the names of the store's directories are those that its journal has, so that there is nothing to plan: the usual start. What nothing of a store's can be called is nobody's business
/// here. Ids are texts, for why see <see cref="Indexes"/>.
/// </summary>
/// <param name="Layers">The layers that have a directory, as far as the journal knows.</param>
/// <param name="MayLack">Those of them that may have none all the same: they are damaged, which was said before.</param>
/// <param name="Images">The images.</param>
internal sealed record CompareStore(IReadOnlyList<string> Layers, IReadOnlyList<string> MayLack, IReadOnlyList<string> Images) : DriverOperation<ComparedStore>
{
    internal override string Verb => "compare store";

    internal static CompareStore With(CatalogState catalog)
    {
        var damaged = catalog.DamagedLayers();
        var missing = RecoveryPlan.WithoutDirectory(damaged);
        var layers = catalog.LayerIds();
        return new CompareStore(
            missing.Count == 0 ? layers : [.. layers.Where(id => !missing.Contains(id))], [.. damaged.Select(static layer => layer.Id.Value).Where(id => !missing.Contains(id))],
            [.. catalog.ListImages().Select(static image => image.Id.Value)]);
    }

    /// <summary>The same for a store that this process need not own.</summary>
    internal static bool Agrees(CatalogState catalog, StoreLayout layout) => LookAtNames.With(catalog).Agrees(layout) || With(catalog).Absent(layout) is not null;

    /// <summary>Whether the directories of images are those.</summary>
    internal static bool HasImages(StoreLayout layout, IReadOnlyList<string> images) => Missing(layout.ImageHome, images, IsImage) is { Count: 0 };

    internal override ComparedStore Execute(DriverServices services, CancellationToken stop) => With(services.Layout);

    /// <summary>The comparison itself.</summary>
    internal ComparedStore With(StoreLayout layout) =>
        Absent(layout) is { } absent ? new ComparedStore(true, absent.Count == 0 ? Layers : [.. Layers.Where(id => !absent.Contains(id))]) : new ComparedStore(false, []);

    /// <summary>The layers that have no directory and need none; null when the names are not those of the journal.</summary>
    private HashSet<string>? Absent(StoreLayout layout) =>
        Missing(layout.DriverHome, Layers, IsLayer) is { } layers && layers.IsSubsetOf(MayLack) && HasImages(layout, Images) ? layers : null;

    /// <summary>Those without a directory; null when there are others.</summary>
    private static HashSet<string>? Missing(string directory, IEnumerable<string> expected, Func<string, bool> isOurs)
    {
        var left = new HashSet<string>(expected, StringComparer.Ordinal);
        return DirectoryNames.All(directory, name => left.Remove(name) || !isOurs(name)) ? left : null;
    }

    // The driver's own things, such as overlay's l, are shorter than any id, or hidden.
    private static bool IsLayer(string name) => name.Length > 1 && name[0] != '.' && StoreListing.LayerOf(name) is not null;

    private static bool IsImage(string name) => name[0] != '.' && StoreListing.ImageOf(name) is not null;
}

/// <summary>What a comparison found.</summary>
/// <param name="Agrees">Whether there is nothing to plan.</param>
/// <param name="Layers">The layers that have a directory, if so.</param>
internal sealed record ComparedStore(bool Agrees, IReadOnlyList<string> Layers);
