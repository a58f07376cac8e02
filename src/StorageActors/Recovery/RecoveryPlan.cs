using StorageActors.Catalog;
using StorageActors.Protocol;

namespace StorageActors.Recovery;

/// <summary>
/// What makes the journal agree with the directories after a crash, or after it was lost; a pure function of both. Nothing is dropped silently: what is
/// missing without being in the trash is marked, what cannot be read is left where it is, and both are said.
/// </summary>
/// <param name="Reconcile">For the catalog.</param>
/// <param name="Notes">A line for each thing that people should know.</param>
internal sealed record RecoveryPlan(CatalogInternal.Reconcile Reconcile, IReadOnlyList<string> Notes)
{
    internal const string MissingDirectory = "its directory is missing";

    internal bool IsNeeded =>
        Reconcile.Layers.Count + Reconcile.Images.Count + Reconcile.GoneLayers.Count + Reconcile.GoneImages.Count + Reconcile.Damages.Count > 0;

    /// <summary>The ids of the layers of which it is known that their directories are missing.</summary>
    internal static HashSet<string> WithoutDirectory(IReadOnlyList<LayerRecord> damaged) =>
        new(damaged.Where(static layer => layer.Damage == MissingDirectory).Select(static layer => layer.Id.Value), StringComparer.Ordinal);

    /// <summary>What has to be read from disk before a plan can be made: little, unless the journal was lost.</summary>
    /// <param name="catalog">What the journal says.</param>
    /// <param name="listing">What there is.</param>
    /// <param name="isThorough">Whether an image may have been put without the journal's knowing.</param>
    internal static ReadRecords Questions(CatalogState catalog, StoreListing listing, bool isThorough = false)
    {
        var layers = listing.Layers.Where(id => catalog.FindOwn(id) is null).ToList();
        var images = listing.Images.Where(id => isThorough || catalog.FindOwn(id) is null).ToList();
        return new ReadRecords(layers, images, Trash: MissingLayers(catalog, listing).Count > 0 || MissingImages(catalog, listing).Any());
    }

    internal static RecoveryPlan Make(CatalogState catalog, StoreListing listing, StoreRecords found)
    {
        var notes = new List<string>();
        var adopted = ParentsFirst([.. found.Layers.Where(static layer => layer.Record is not null).Select(static layer => layer.Record!)]);
        var images = found.Images.Where(image => image.Record is not null && !IsKnown(catalog, image.Record)).Select(static image => image.Record!)
            .OrderBy(static image => image.Added ?? image.Created).ThenBy(static image => image.Id.Value, StringComparer.Ordinal).ToList();
        notes.AddRange(adopted.Select(static layer => $"layer {layer.Id} is complete, but not in the journal: adopted"));
        notes.AddRange(images.Select(static image => $"image {image.Id} is complete, but not in the journal: adopted"));
        notes.AddRange(found.Layers.Where(static layer => layer.Record is null).Select(static layer => $"directory {layer.Id} is not in the journal and has no valid record: left alone ({layer.Fault})"));
        notes.AddRange(found.Images.Where(image => image.Record is null && catalog.FindOwn(image.Id) is null).Select(static image => $"image directory {image.Id} is not in the journal and has no valid record: left alone ({image.Fault})"));

        var (missing, missingImages) = (MissingLayers(catalog, listing), MissingImages(catalog, listing).Select(static image => image.Id).ToList());
        var goneLayers = missing.Select(static layer => layer.Id).Where(found.TrashedLayers.ToHashSet().Contains).ToHashSet();
        var goneImages = missingImages.Where(found.TrashedImages.ToHashSet().Contains).ToHashSet();
        notes.AddRange(goneLayers.Select(static id => $"layer {id} is in the trash: removed"));
        notes.AddRange(goneImages.Select(static id => $"image {id} is in the trash: removed"));
        notes.AddRange(missingImages.Where(id => !goneImages.Contains(id)).Select(static id => $"image {id}: {MissingDirectory}"));

        var damages = missing.Where(layer => !goneLayers.Contains(layer.Id)).Select(static layer => new CatalogInternal.Damage(layer.Id, MissingDirectory)).ToList();
        var present = listing.Layers.ToHashSet();
        damages.AddRange(catalog.LayersWhere(layer => layer.Damage == MissingDirectory && present.Contains(layer.Id)).Select(static layer => new CatalogInternal.Damage(layer.Id, null)));
        var known = adopted.Select(static layer => layer.Id).ToHashSet();
        damages.AddRange(adopted.Where(layer => layer.Parent is { } parent && catalog.FindLayer(parent) is null && !known.Contains(parent))
            .Select(static layer => new CatalogInternal.Damage(layer.Id, $"its parent {layer.Parent} is missing")));
        notes.AddRange(damages.Select(static damage => damage.Reason is null ? $"layer {damage.Layer} is back" : $"layer {damage.Layer} is damaged: {damage.Reason}"));
        return new RecoveryPlan(new CatalogInternal.Reconcile(adopted, images, [.. goneLayers], [.. goneImages], damages), notes);
    }

    /// <summary>
    /// The journal has the image as its directory does, but for names and labels, whose changes it has first. Otherwise it was put again: its directory has the new documents, and
    /// the old ones are gone.
    /// </summary>
    private static bool IsKnown(CatalogState catalog, ImageRecord found) =>
        catalog.FindOwn(found.Id) is { } known && RecordComparison.IsSame(known, found with { Names = known.Names, NamesHistory = known.NamesHistory, Labels = known.Labels });

    private static IReadOnlyList<LayerRecord> MissingLayers(CatalogState catalog, StoreListing listing)
    {
        if (catalog.LayerCount == 0) return [];
        var present = listing.Layers.ToHashSet();
        return catalog.LayersWhere(layer => !present.Contains(layer.Id) && layer.Damage is null);
    }

    private static IEnumerable<ImageRecord> MissingImages(CatalogState catalog, StoreListing listing)
    {
        var present = listing.Images.ToHashSet();
        return catalog.ListImages().Where(image => !present.Contains(image.Id));
    }

    private static List<LayerRecord> ParentsFirst(List<LayerRecord> layers)
    {
        var byId = layers.ToDictionary(static layer => layer.Id);
        var (sorted, seen, below) = (new List<LayerRecord>(layers.Count), new HashSet<LayerId>(), new Stack<LayerRecord>());
        foreach (var first in layers.OrderBy(static layer => layer.Created).ThenBy(static layer => layer.Id.Value, StringComparer.Ordinal))
        {
            for (var layer = first; layer is not null && seen.Add(layer.Id); layer = layer.Parent is { } parent ? byId.GetValueOrDefault(parent) : null) below.Push(layer);
            while (below.TryPop(out var layer)) sorted.Add(layer);
        }

        return sorted;
    }
}
