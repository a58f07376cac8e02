using StorageActors.Journal;
using StorageActors.Protocol;

namespace StorageActors.Catalog;

/// <summary>Which labels a layer or an image has after a change.</summary>
internal static class LabelRules
{
    private const string Operation = "label";

    internal static Decision<LayerRules.Changed> Change(CatalogState state, LayerId id, IReadOnlyDictionary<string, string> changes)
    {
        if (state.FindLayer(id) is not { } layer) return Refusals.NotFound(Operation, id);
        if (Refusals.Elsewhere(Operation, layer) is { } elsewhere) return elsewhere;
        return NameRules.CheckLabels(Operation, changes) is { } wrong ? wrong
            : new LayerRules.Changed([new CatalogEvent.LayerLabelled(id, Merge(layer.Labels, changes))]);
    }

    internal static Decision<LayerRules.Changed> Change(CatalogState state, ImageId id, IReadOnlyDictionary<string, string> changes)
    {
        if (state.FindImage(id) is not { } image) return Refusals.NotFound(Operation, id);
        if (Refusals.Elsewhere(Operation, image) is { } elsewhere) return elsewhere;
        return NameRules.CheckLabels(Operation, changes) is { } wrong ? wrong
            : new LayerRules.Changed([new CatalogEvent.ImageLabelled(id, Merge(image.Labels, changes))]);
    }

    /// <summary>The event that sets labels of a layer that is there; none when it has them.</summary>
    internal static IEnumerable<IJournalEvent> Give(CatalogState state, LayerId id, IReadOnlyDictionary<string, string>? given)
    {
        if (given is not { Count: > 0 } || state.FindOwn(id) is not { } layer) yield break;
        var all = Merge(layer.Labels, given);
        if (all.Count != layer.Labels.Count || all.Any(label => layer.Labels.GetValueOrDefault(label.Key) != label.Value)) yield return new CatalogEvent.LayerLabelled(id, all);
    }

    /// <summary>Sorted by key; an empty value takes its label away.</summary>
    internal static IReadOnlyDictionary<string, string> Merge(IReadOnlyDictionary<string, string> labels, IReadOnlyDictionary<string, string> changes)
    {
        var merged = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in labels) merged[key] = value;
        foreach (var (key, value) in changes)
        {
            if (value.Length == 0) merged.Remove(key);
            else merged[key] = value;
        }

        return merged;
    }
}
