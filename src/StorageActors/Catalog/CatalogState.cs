using System.Collections.Immutable;
using StorageActors.Journal;
using StorageActors.Protocol;

namespace StorageActors.Catalog;

/// <summary>
/// All layers and images with their indexes, immutable: what the journal's events add up to. A change shares all but a few nodes with the state
/// before it, so a reader keeps the one it has while the catalog goes on, and a change costs the logarithm of the store's size.
/// </summary>
internal sealed partial record CatalogState
{
    internal static readonly CatalogState Empty = new();

    private CatalogState()
    {
    }

    private ImmutableDictionary<LayerId, LayerEntry> LayerEntries { get; init; } = ImmutableDictionary<LayerId, LayerEntry>.Empty;

    private ImmutableDictionary<string, LayerId> LayerNames { get; init; } = ImmutableDictionary.Create<string, LayerId>(StringComparer.Ordinal);

    /// <summary>Sorted, so that the ids with a prefix are neighbours.</summary>
    private ImmutableSortedSet<string> LayerIds { get; init; } = ImmutableSortedSet.Create<string>(StringComparer.Ordinal);

    /// <summary>More than one layer may have a ChainID: a copy under an id of its own is allowed.</summary>
    private ImmutableDictionary<Digest, ImmutableList<LayerId>> Chains { get; init; } = ImmutableDictionary<Digest, ImmutableList<LayerId>>.Empty;

    /// <summary>By the parent's id, whether the parent is there or not.</summary>
    private ImmutableDictionary<LayerId, ImmutableHashSet<LayerId>> Children { get; init; } = ImmutableDictionary<LayerId, ImmutableHashSet<LayerId>>.Empty;

    private ImmutableDictionary<LayerId, ImmutableHashSet<ImageId>> ImagesByLayer { get; init; } = ImmutableDictionary<LayerId, ImmutableHashSet<ImageId>>.Empty;

    private ImmutableDictionary<ImageId, ImageEntry> ImageEntries { get; init; } = ImmutableDictionary<ImageId, ImageEntry>.Empty;

    private ImmutableDictionary<string, ImageId> ImageNames { get; init; } = ImmutableDictionary.Create<string, ImageId>(StringComparer.Ordinal);

    private ImmutableSortedSet<string> ImageIds { get; init; } = ImmutableSortedSet.Create<string>(StringComparer.Ordinal);

    private ImmutableDictionary<Digest, ImmutableHashSet<ImageId>> ImagesByBlob { get; init; } = ImmutableDictionary<Digest, ImmutableHashSet<ImageId>>.Empty;

    /// <summary>Grows with each new record: the order in which lists show them.</summary>
    private long NextOrder { get; init; }

    /// <summary>The state after an event. An event carries an outcome, so there is nothing to refuse.</summary>
    internal CatalogState Apply(IJournalEvent happened) => happened switch
    {
        CatalogEvent.LayerCommitted committed => Put(committed.Layer),
        CatalogEvent.LayerSealed @sealed => Put(@sealed.Layer),
        CatalogEvent.LayerRemoved removed => Drop(removed.Layer),
        CatalogEvent.LayerNamed named => Change(named.Layer, layer => layer with { Names = named.Names }),
        CatalogEvent.LayerLabelled labelled => Change(labelled.Layer, layer => layer with { Labels = labelled.Labels }),
        CatalogEvent.LayerDamaged damaged => Change(damaged.Layer, layer => layer with { Damage = damaged.Reason }),
        CatalogEvent.LayerHealed healed => Change(healed.Layer, static layer => layer with { Damage = null }),
        CatalogEvent.ImagePut put => Put(put.Image),
        CatalogEvent.ImageNamed named => Change(named.Image, image => image with { Names = named.Names }),
        CatalogEvent.ImageRemoved removed => Drop(removed.Image),
        CatalogEvent.Snapshot snapshot => Restore(snapshot),
        _ => this,
    };

    internal CatalogState Apply(IEnumerable<IJournalEvent> events) => events.Aggregate(this, static (state, happened) => state.Apply(happened));

    /// <summary>Everything, as one event that a new catalog can start from.</summary>
    internal CatalogEvent.Snapshot ToSnapshot() => new(ListLayers(), ListImages());

    private CatalogState Restore(CatalogEvent.Snapshot snapshot)
    {
        // All at once: a state for each of ten thousand layers would be most of what a start takes.
        var layers = snapshot.Layers;
        var state = Empty with
        {
            Additional = Additional,
            LayerEntries = layers.Select(static (layer, order) => new LayerEntry(layer, order)).ToImmutableDictionary(static entry => entry.Record.Id),
            LayerIds = layers.Select(static layer => layer.Id.Value).ToImmutableSortedSet(StringComparer.Ordinal),
            LayerNames = LayerNamesOf(layers),
            Chains = layers.Where(static layer => layer.ChainId is not null).GroupBy(static layer => layer.ChainId!.Value, static layer => layer.Id)
                .ToImmutableDictionary(static chain => chain.Key, static chain => chain.ToImmutableList()),
            Children = layers.Where(static layer => layer.Parent is not null).GroupBy(static layer => layer.Parent!.Value, static layer => layer.Id)
                .ToImmutableDictionary(static children => children.Key, static children => children.ToImmutableHashSet()),
            NextOrder = layers.Count,
        };
        return snapshot.Images.Aggregate(state, static (known, image) => known.Put(image));
    }

    private static ImmutableDictionary<string, LayerId> LayerNamesOf(IEnumerable<LayerRecord> layers)
    {
        var names = Empty.LayerNames.ToBuilder();
        foreach (var layer in layers)
        {
            foreach (var name in layer.Names) names[name] = layer.Id;
        }

        return names.ToImmutable();
    }

    private CatalogState Change(LayerId id, Func<LayerRecord, LayerRecord> change) => FindOwn(id) is { } layer ? Put(change(layer)) : this;

    private CatalogState Change(ImageId id, Func<ImageRecord, ImageRecord> change) => FindOwn(id) is { } image ? Put(change(image)) : this;

    private CatalogState Put(LayerRecord layer)
    {
        var old = LayerEntries.GetValueOrDefault(layer.Id);
        var without = old is null ? this : Unindex(old.Record);
        return without with
        {
            LayerEntries = without.LayerEntries.SetItem(layer.Id, new LayerEntry(layer, old?.Order ?? NextOrder)),
            LayerIds = without.LayerIds.Add(layer.Id.Value),
            LayerNames = without.LayerNames.SetItems(layer.Names.Select(name => KeyValuePair.Create(name, layer.Id))),
            Chains = layer.ChainId is { } chain
                ? without.Chains.SetItem(chain, without.Chains.GetValueOrDefault(chain, ImmutableList<LayerId>.Empty).Add(layer.Id)) : without.Chains,
            Children = layer.Parent is { } parent ? without.Children.Join(parent, layer.Id) : without.Children,
            NextOrder = old is null ? NextOrder + 1 : NextOrder,
        };
    }

    private CatalogState Drop(LayerId id) => LayerEntries.TryGetValue(id, out var old)
        ? Unindex(old.Record) with { LayerEntries = LayerEntries.Remove(id), LayerIds = LayerIds.Remove(id.Value) } : this;

    /// <summary>Without what can change in a record, or lead to it.</summary>
    private CatalogState Unindex(LayerRecord layer) => this with
    {
        LayerNames = LayerNames.RemoveRange(layer.Names.Where(name => LayerNames.GetValueOrDefault(name) == layer.Id)),
        Chains = layer.ChainId is { } chain ? Chains.Leave(chain, layer.Id) : Chains,
        Children = layer.Parent is { } parent ? Children.Leave(parent, layer.Id) : Children,
    };

    private CatalogState Put(ImageRecord image)
    {
        var old = ImageEntries.GetValueOrDefault(image.Id);
        var without = old is null ? this : Unindex(old.Record);
        return without with
        {
            ImageEntries = without.ImageEntries.SetItem(image.Id, new ImageEntry(image, old?.Order ?? NextOrder)),
            ImageIds = without.ImageIds.Add(image.Id.Value),
            ImageNames = without.ImageNames.SetItems(image.Names.Select(name => KeyValuePair.Create(name, image.Id))),
            ImagesByLayer = image.Layers.Aggregate(without.ImagesByLayer, (index, layer) => index.Join(layer, image.Id)),
            ImagesByBlob = (image.Blobs ?? []).Aggregate(without.ImagesByBlob, (index, blob) => index.Join(blob, image.Id)),
            NextOrder = old is null ? NextOrder + 1 : NextOrder,
        };
    }

    private CatalogState Drop(ImageId id) => ImageEntries.TryGetValue(id, out var old)
        ? Unindex(old.Record) with { ImageEntries = ImageEntries.Remove(id), ImageIds = ImageIds.Remove(id.Value) } : this;

    private CatalogState Unindex(ImageRecord image) => this with
    {
        ImageNames = ImageNames.RemoveRange(image.Names.Where(name => ImageNames.GetValueOrDefault(name) == image.Id)),
        ImagesByLayer = image.Layers.Aggregate(ImagesByLayer, (index, layer) => index.Leave(layer, image.Id)),
        ImagesByBlob = (image.Blobs ?? []).Aggregate(ImagesByBlob, (index, blob) => index.Leave(blob, image.Id)),
    };

    private sealed record LayerEntry(LayerRecord Record, long Order);

    private sealed record ImageEntry(ImageRecord Record, long Order);
}
