using System.Text;
using StorageActors.Catalog;
using StorageActors.DriverOperations;
using StorageActors.Protocol;
using StorageActors.Records;
using StorageActors.Settings;
using StorageActors.Store;

namespace StorageActors.Recovery;

/// <summary>
/// What <see cref="CompareStore"/> asks, of a large store, where it can be said without a list of its layers: it is known which names there were, and that none came or went since
/// (<see cref="SeenNames"/>). False does not mean that anything differs.
/// </summary>
/// <param name="Layers">The layers that have a directory, as far as the journal knows.</param>
/// <param name="Images">The images.</param>
internal sealed record LookAtNames(NameSum Layers, IReadOnlyList<string> Images) : DriverOperation<bool>
{
    internal override string Verb => "look at names";

    /// <summary>Whether a store is so large that its snapshot is packed; the names of fewer layers are listed as quickly.</summary>
    internal static bool IsWorthwhile(CatalogState catalog, StorageSettings settings) => catalog.LayerCount >= settings.PackFrom;

    internal static LookAtNames With(CatalogState catalog)
    {
        var missing = RecoveryPlan.WithoutDirectory(catalog.DamagedLayers());
        return new LookAtNames(
            missing.Aggregate(catalog.SumOfLayerIds(), static (sum, id) => sum.Without(Encoding.UTF8.GetBytes(id))), [.. catalog.ListImages().Select(static image => image.Id.Value)]);
    }

    /// <summary>The layers that have a directory, as far as the journal knows.</summary>
    internal static IReadOnlyList<LayerId> LayersOf(CatalogState catalog)
    {
        var missing = RecoveryPlan.WithoutDirectory(catalog.DamagedLayers());
        return new DeferredIds(catalog.LayerCount - missing.Count, () => catalog.LayerIds().Where(id => !missing.Contains(id)));
    }

    /// <summary>For the next start: by the store's owner, when nothing changes it any more.</summary>
    internal static void Prepare(DriverServices services)
    {
        // The driver's own things in its home, such as overlay's l, are shorter than any id, or hidden.
        var directories = new List<(string, SeenNames.Counts)> { (services.Layout.DriverHome, IdKey.IsId) };
        if (services.Driver.NamesHome is { } home) directories.Add((home, static _ => true));
        SeenNames.Note(services.Layout, directories);
    }

    /// <summary>The same for a store that this process need not own.</summary>
    internal bool Agrees(StoreLayout layout) => SeenNames.Read(layout).Of(layout.DriverHome) == Layers && CompareStore.HasImages(layout, Images);

    internal override bool Execute(DriverServices services, CancellationToken stop) => Agrees(services.Layout);
}
