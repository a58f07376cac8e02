using StorageActors.Protocol;

namespace StorageActors.Catalog;

/// <summary>
/// All layers of one state, parents before children, as <see cref="CatalogState.ListLayers()"/> has them. The list of a later state is made from it by what has changed: to sort
/// ten thousand layers takes milliseconds, and leaves so much garbage that the next commands wait for the collector; to copy their list takes microseconds.
/// </summary>
internal sealed class LayerListing
{
    private readonly CatalogState _state;

    private LayerListing(CatalogState state, List<LayerRecord> layers, bool isPlain) => (_state, Layers, IsPlain) = (state, layers, isPlain);

    internal List<LayerRecord> Layers { get; }

    /// <summary>Whether they are in the order in which they came: then a layer is found by it, and the next list is made from this one.</summary>
    internal bool IsPlain { get; }

    internal static LayerListing Of(CatalogState state)
    {
        var layers = state.ListLayers(out var isPlain);
        return new LayerListing(state, layers, isPlain);
    }

    /// <summary>The list of a state that differs from this one's in some layers alone.</summary>
    internal LayerListing After(CatalogState state, IEnumerable<LayerId> changed)
    {
        if (!IsPlain) return Of(state);
        var layers = new List<LayerRecord>(Layers.Count + 1);
        layers.AddRange(Layers);
        var added = new List<(long Order, LayerRecord Layer)>();
        foreach (var id in changed.Distinct())
        {
            var (before, after) = (_state.OrderOf(id), state.OrderOf(id));
            if (before is { } there)
            {
                var at = IndexOf(layers, there);
                if (before == after && state.FindOwn(id)!.Parent != layers[at].Parent) return Of(state);
                if (before == after) layers[at] = state.FindOwn(id)!;
                else layers.RemoveAt(at);
            }

            if (after is { } order && after != before) added.Add((order, state.FindOwn(id)!));
        }

        added.Sort(static (one, other) => one.Order.CompareTo(other.Order));
        foreach (var (order, layer) in added)
        {
            if (!ComesBetween(state, layer, order)) return Of(state);
            layers.Add(layer);
        }

        return new LayerListing(state, layers, isPlain: true);
    }

    /// <summary>Whether its parent came before it, and its children after it; not so when a parent was adopted after its child.</summary>
    private static bool ComesBetween(CatalogState state, LayerRecord layer, long order) =>
        (layer.Parent is not { } parent || state.OrderOf(parent) is not { } below || below < order)
        && state.ChildrenOf(layer.Id).All(child => state.OrderOf(child) is not { } above || above > order);

    private int IndexOf(List<LayerRecord> layers, long order)
    {
        var (low, high) = (0, layers.Count - 1);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_state.OrderOf(layers[middle].Id) < order) low = middle + 1;
            else high = middle;
        }

        return low;
    }
}
