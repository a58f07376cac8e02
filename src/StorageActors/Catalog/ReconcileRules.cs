using StorageActors.Journal;
using static StorageActors.Catalog.CatalogInternal;

namespace StorageActors.Catalog;

/// <summary>The events that make the journal agree with the disk.</summary>
internal static class ReconcileRules
{
    internal static IReadOnlyList<IJournalEvent> Events(CatalogState state, Reconcile found)
    {
        var events = new List<IJournalEvent>();
        foreach (var image in found.GoneImages) Add(new CatalogEvent.ImageRemoved(image));
        foreach (var layer in found.GoneLayers) Add(new CatalogEvent.LayerRemoved(layer));
        foreach (var layer in found.Layers)
        {
            // Two directories may claim a name, when a crash came between two changes of records: the journal's word counts, then the first.
            if (state.FindOwn(layer.Id) is null) Add(new CatalogEvent.LayerCommitted(layer with { Names = [.. layer.Names.Where(name => state.FindLayerName(name) is null)] }));
        }

        foreach (var image in found.Images)
        {
            if (state.FindOwn(image.Id) is null) Add(new CatalogEvent.ImagePut(image with { Names = [.. image.Names.Where(name => state.FindImageName(name) is null)] }));
            else foreach (var happened in ImageRules.Put(state, image)) Add(happened); // It was put again, whole.
        }

        foreach (var (layer, reason) in found.Damages.Select(static damage => (damage.Layer, damage.Reason)))
        {
            if (state.FindOwn(layer) is not { } record || record.Damage == reason) continue;
            Add(reason is null ? new CatalogEvent.LayerHealed(layer) : new CatalogEvent.LayerDamaged(layer, reason));
        }

        return events;

        void Add(IJournalEvent happened)
        {
            state = state.Apply(happened);
            events.Add(happened);
        }
    }
}
