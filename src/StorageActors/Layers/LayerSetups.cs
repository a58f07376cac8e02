using System.Collections.Concurrent;
using StorageActors.Catalog;
using StorageActors.Drivers;
using StorageActors.Protocol;
using StorageActors.Store;

namespace StorageActors.Layers;

/// <summary>
/// What layers' actors need to know of their layers, from the catalog. What was found once is told again as long as the catalog stays as it is: the way down a stack of a hundred
/// layers costs as much as all else that a message does. Safe to use from many threads.
/// </summary>
internal sealed class LayerSetups(CatalogView view, StoreLayout layout)
{
    /// <summary>More are not kept, for a store where thousands of layers are asked after; what is in use is kept by the layers' actors as it is.</summary>
    private const int Most = 256;

    private Known? _known;

    /// <summary>What a layer's actor needs to know of it.</summary>
    internal LayerSetup Of(LayerRecord layer)
    {
        var state = view.Current;
        var known = Volatile.Read(ref _known);
        if (known is null || !ReferenceEquals(known.State, state))
        {
            known = new Known(state, new ConcurrentDictionary<LayerId, (LayerRecord, LayerSetup)>());
            Volatile.Write(ref _known, known);
        }

        // By the record itself: one that is older than the state has a setup of its own.
        if (known.Setups.TryGetValue(layer.Id, out var found) && ReferenceEquals(found.Layer, layer)) return found.Setup;
        var setup = new LayerSetup(layout.Locate(layer), [.. state.AncestorsOf(layer).Select(id => state.Locate(layout, id))], layer.Kind, layer.Created, state.DamageOf(layer));
        if (known.Setups.Count >= Most) known.Setups.Clear();
        known.Setups[layer.Id] = (layer, setup);
        return setup;
    }

    private sealed record Known(CatalogState State, ConcurrentDictionary<LayerId, (LayerRecord Layer, LayerSetup Setup)> Setups);
}
