using System.Collections.Immutable;
using StorageActors.Journal;
using StorageActors.Protocol;
using StorageActors.Records;

namespace StorageActors.Catalog;

/// <summary>
/// All layers and images with their indexes, immutable: what the journal's events add up to. A change shares all but a few nodes with the state
/// before it, so a reader keeps the one it has while the catalog goes on, and a change costs the logarithm of what changed since the snapshot. The layers of the snapshot itself
/// stay in its table, which is never copied: a start makes nothing for each of them. Ids and digests are kept as their texts; see <see cref="Indexes"/> for why.
/// </summary>
internal sealed partial record CatalogState
{
    internal static readonly CatalogState Empty = new();

    private CatalogState()
    {
    }

    internal int LayerCount { get; private init; }

    /// <summary>The layers of the snapshot that it began with, which may have changed or gone since.</summary>
    private LayerTable Began { get; init; } = ListedLayers.None;

    private Overlaid<LayerEntry> Layers { get; init; } = Overlaid<LayerEntry>.Empty;

    private Overlaid<string> LayerNames { get; init; } = Overlaid<string>.Empty;

    /// <summary>Of layers that came since; sorted, so that the ids with a prefix are neighbours.</summary>
    private ImmutableSortedSet<string> NewIds { get; init; } = ImmutableSortedSet.Create<string>(StringComparer.Ordinal);

    /// <summary>More than one layer may have a ChainID: a copy under an id of its own is allowed. The one that came, or changed, last is last; a start has them in the order of lists.</summary>
    private Overlaid<IReadOnlyCollection<string>> Chains { get; init; } = Overlaid<IReadOnlyCollection<string>>.Empty;

    /// <summary>By the parent's id, whether the parent is there or not.</summary>
    private Overlaid<IReadOnlyCollection<string>> Children { get; init; } = Overlaid<IReadOnlyCollection<string>>.Empty;

    private ImmutableDictionary<string, ImmutableHashSet<string>> ImagesByLayer { get; init; } = ImmutableDictionary<string, ImmutableHashSet<string>>.Empty;

    private ImmutableDictionary<string, ImageEntry> ImageEntries { get; init; } = ImmutableDictionary<string, ImageEntry>.Empty;

    private ImmutableDictionary<string, string> ImageNames { get; init; } = ImmutableDictionary<string, string>.Empty;

    private ImmutableSortedSet<string> ImageIds { get; init; } = ImmutableSortedSet.Create<string>(StringComparer.Ordinal);

    private ImmutableDictionary<string, ImmutableHashSet<string>> ImagesByBlob { get; init; } = ImmutableDictionary<string, ImmutableHashSet<string>>.Empty;

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
        CatalogEvent.LayerDocumented documented => Change(documented.Layer, layer => layer with { BigData = documented.Documents.Count == 0 ? null : documented.Documents }),
        CatalogEvent.LayerDamaged damaged => Change(damaged.Layer, layer => layer with { Damage = damaged.Reason }),
        CatalogEvent.LayerHealed healed => Change(healed.Layer, static layer => layer with { Damage = null }),
        CatalogEvent.ImagePut put => Put(put.Image),
        CatalogEvent.ImageNamed named => Change(named.Image, image => NameHistory.Name(image, named)),
        CatalogEvent.ImageLabelled labelled => Change(labelled.Image, image => image with { Labels = labelled.Labels }),
        CatalogEvent.ImageRemoved removed => Drop(removed.Image),
        CatalogEvent.Snapshot snapshot => Restore(snapshot),
        _ => this,
    };

    internal CatalogState Apply(IEnumerable<IJournalEvent> events) => events.Aggregate(this, static (state, happened) => state.Apply(happened));

    /// <summary>Everything, as one event that a new catalog can start from.</summary>
    internal CatalogEvent.Snapshot ToSnapshot() => new(ListLayers(), ListImages());

    private CatalogState Restore(CatalogEvent.Snapshot snapshot)
    {
        var table = snapshot.Layers as LayerTable ?? new ListedLayers(snapshot.Layers);
        var state = Empty with
        {
            Additional = Additional,
            Began = table,
            Layers = new Overlaid<LayerEntry>(id => table.RowOf(id) is { } row ? new LayerEntry(table[row], row) : null),
            LayerNames = new Overlaid<string>(table.FindName),
            Chains = new Overlaid<IReadOnlyCollection<string>>(table.FindChain),
            Children = new Overlaid<IReadOnlyCollection<string>>(table.FindChildren),
            LayerCount = table.Count,
            NextOrder = table.Count,
        };
        return snapshot.Images.Aggregate(state, static (known, image) => known.Put(image));
    }

    private CatalogState Change(LayerId id, Func<LayerRecord, LayerRecord> change) => FindOwn(id) is { } layer ? Put(change(layer)) : this;

    private CatalogState Change(ImageId id, Func<ImageRecord, ImageRecord> change) => FindOwn(id) is { } image ? Put(change(image)) : this;

    private CatalogState Put(LayerRecord layer)
    {
        var id = layer.Id.Value;
        var old = Layers.Find(id);
        var without = old is null ? this : Unindex(old.Record);
        return without with
        {
            Layers = without.Layers.With(id, new LayerEntry(layer, old?.Order ?? NextOrder)),
            NewIds = Began.RowOf(id) is null ? without.NewIds.Add(id) : without.NewIds,
            LayerNames = layer.Names.Aggregate(without.LayerNames, (names, name) => names.With(name, id)),
            Chains = layer.ChainId is { } chain ? without.Chains.Append(chain.Value, id) : without.Chains,
            Children = layer.Parent is { } parent ? without.Children.Join(parent.Value, id) : without.Children,
            LayerCount = old is null ? LayerCount + 1 : LayerCount,
            NextOrder = old is null ? NextOrder + 1 : NextOrder,
        };
    }

    private CatalogState Drop(LayerId id) => Layers.Find(id.Value) is { } old
        ? Unindex(old.Record) with { Layers = Layers.With(id.Value, null), NewIds = NewIds.Remove(id.Value), LayerCount = LayerCount - 1 } : this;

    /// <summary>Without what can change in a record, or lead to it.</summary>
    private CatalogState Unindex(LayerRecord layer) => this with
    {
        LayerNames = layer.Names.Where(name => LayerNames.Find(name) == layer.Id.Value).Aggregate(LayerNames, static (names, name) => names.With(name, null)),
        Chains = layer.ChainId is { } chain ? Chains.Remove(chain.Value, layer.Id.Value) : Chains,
        Children = layer.Parent is { } parent ? Children.Leave(parent.Value, layer.Id.Value) : Children,
    };

    private CatalogState Put(ImageRecord image)
    {
        var id = image.Id.Value;
        var old = ImageEntries.GetValueOrDefault(id);
        var without = old is null ? this : Unindex(old.Record);
        return without with
        {
            ImageEntries = without.ImageEntries.SetItem(id, new ImageEntry(image, old?.Order ?? NextOrder)),
            ImageIds = without.ImageIds.Add(id),
            ImageNames = image.Names.Aggregate(without.ImageNames, (names, name) => names.SetItem(name, id)),
            ImagesByLayer = image.Layers.Aggregate(without.ImagesByLayer, (index, layer) => index.Join(layer.Value, id)),
            ImagesByBlob = (image.Blobs ?? []).Aggregate(without.ImagesByBlob, (index, blob) => index.Join(blob.Value, id)),
            NextOrder = old is null ? NextOrder + 1 : NextOrder,
        };
    }

    private CatalogState Drop(ImageId id) => ImageEntries.TryGetValue(id.Value, out var old)
        ? Unindex(old.Record) with { ImageEntries = ImageEntries.Remove(id.Value), ImageIds = ImageIds.Remove(id.Value) } : this;

    private CatalogState Unindex(ImageRecord image) => this with
    {
        ImageNames = ImageNames.RemoveRange(image.Names.Where(name => ImageNames.GetValueOrDefault(name) == image.Id.Value)),
        ImagesByLayer = image.Layers.Aggregate(ImagesByLayer, (index, layer) => index.Leave(layer.Value, image.Id.Value)),
        ImagesByBlob = (image.Blobs ?? []).Aggregate(ImagesByBlob, (index, blob) => index.Leave(blob.Value, image.Id.Value)),
    };

    private sealed record LayerEntry(LayerRecord Record, long Order);

    private sealed record ImageEntry(ImageRecord Record, long Order);
}
