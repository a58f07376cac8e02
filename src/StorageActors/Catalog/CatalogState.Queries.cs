using System.Text;
using StorageActors.Protocol;
using StorageActors.Records;

namespace StorageActors.Catalog;

/// <summary>What a state can be asked; each answer is a look into an index.</summary>
internal sealed partial record CatalogState
{
    /// <summary>The shortest prefix of an id that names something.</summary>
    internal const int ShortestPrefix = 4;

    internal int ImageCount => ImageEntries.Count;

    internal LayerRecord? FindLayer(LayerId id) => FindOwn(id) ?? Additional?.FindOwn(id);

    internal ImageRecord? FindImage(ImageId id) => FindOwn(id) ?? Additional?.FindOwn(id);

    /// <summary>The image, unless it lies in an additional store.</summary>
    internal ImageRecord? FindOwn(ImageId id) => ImageEntries.GetValueOrDefault(id.ToString())?.Record;

    internal LayerId? FindLayerName(string name) => LayerNames.Find(name) is { } id ? LayerId.Parse(id) : null;

    internal ImageId? FindImageName(string name) => ImageNames.TryGetValue(name, out var id) ? ImageId.Parse(id) : null;

    internal IReadOnlyCollection<LayerId> ChildrenOf(LayerId id)
    {
        var own = Children.Find(id.ToString()) is { } children ? new Ids<LayerId>(children) : Ids<LayerId>.None;
        return Additional is null ? own : [.. own, .. ChildrenElsewhere(id)];
    }

    internal IReadOnlyCollection<ImageId> ImagesOf(LayerId id) => ImagesByLayer.TryGetValue(id.ToString(), out var images) ? new Ids<ImageId>(images) : Ids<ImageId>.None;

    internal IReadOnlyCollection<ImageId> ImagesWith(Digest blob) => ImagesByBlob.TryGetValue(blob.ToString(), out var images) ? new Ids<ImageId>(images) : Ids<ImageId>.None;

    internal IReadOnlyCollection<Digest> Blobs => [.. ImagesByBlob.Keys.Select(Digest.Parse)];

    /// <summary>The layers that have this ChainID, the store's own first.</summary>
    internal IReadOnlyList<LayerRecord> FindChain(Digest chain)
    {
        var found = (Chains.Find(chain.ToString()) ?? []).Select(id => Layers.Find(id)!.Record);
        return [.. found, .. (Additional?.FindChain(chain) ?? []).Where(layer => FindOwn(layer.Id) is null)];
    }

    /// <summary>The layers below, nearest first. One that is missing ends the list: its child is damaged.</summary>
    internal IReadOnlyList<LayerId> AncestorsOf(LayerRecord layer)
    {
        var ancestors = new List<LayerId>();
        // As many as there are, also when a damaged record makes a ring of them.
        for (var parent = layer.Parent; parent is { } id && ancestors.Count <= LayerCount + (Additional?.LayerCount ?? 0); parent = FindLayer(id)?.Parent) ancestors.Add(id);
        return ancestors;
    }

    /// <summary>Why a layer cannot be used, its own damage or that of one below it; null when it can.</summary>
    internal string? DamageOf(LayerRecord layer)
    {
        if (layer.Damage is not null) return layer.Damage;
        var above = layer;
        foreach (var id in AncestorsOf(layer))
        {
            if (FindLayer(id) is not { } below) return $"layer {id} below it is missing";
            if (below.Damage is not null) return $"layer {id} below it is damaged: {below.Damage}";
            if (IsAnother(below, above)) return $"{below.AdditionalStore ?? "the store itself"} has the id {id} for another layer than the one below it";
            above = below;
        }

        return null;
    }

    /// <summary>The layer and all that rest on it.</summary>
    internal IReadOnlyList<LayerRecord> WithDescendants(LayerId id)
    {
        var (found, next) = (new Dictionary<LayerId, LayerRecord>(), new Stack<LayerId>([id]));
        while (next.TryPop(out var one))
        {
            if (FindLayer(one) is not { } layer || !found.TryAdd(one, layer)) continue;
            foreach (var child in ChildrenOf(one)) next.Push(child);
        }

        return [.. found.Values];
    }

    /// <summary>The layers of the store's own of which something is true, as they came.</summary>
    internal IReadOnlyList<LayerRecord> LayersWhere(Func<LayerRecord, bool> condition)
    {
        var layers = new List<LayerRecord>();
        foreach (var entry in LayersAsTheyCame())
        {
            if (condition(entry.Record)) layers.Add(entry.Record);
        }

        return layers;
    }

    /// <summary>The layers of the store's own, parents before children, otherwise as they came.</summary>
    internal IReadOnlyList<LayerRecord> ListLayers() => ListLayers(out _);

    /// <param name="asTheyCame">Whether no layer came before its parent.</param>
    internal List<LayerRecord> ListLayers(out bool asTheyCame)
    {
        asTheyCame = true;
        if (Layers.IsUnchanged && Began.Totals.HasParentsFirst) return [.. Began]; // As of a snapshot, always.
        var layers = new List<LayerRecord>(LayerCount);
        var listed = new HashSet<string>(LayerCount, StringComparer.Ordinal);
        var below = new Stack<LayerRecord>();
        foreach (var entry in LayersAsTheyCame())
        {
            // A parent that was adopted after its child has the higher order.
            for (var layer = entry.Record; layer is not null && listed.Add(layer.Id.Value); layer = layer.Parent is { } id ? FindOwn(id) : null) below.Push(layer);
            asTheyCame &= below.Count <= 1;
            while (below.TryPop(out var layer)) layers.Add(layer);
        }

        return layers;
    }

    /// <summary>A number that grows from each new layer to the next; null when the store has none of that id.</summary>
    internal long? OrderOf(LayerId id) => Layers.Find(id.ToString())?.Order;

    /// <summary>The ids of the store's own layers as one sum; no record is read for it, and no id made.</summary>
    internal NameSum SumOfLayerIds()
    {
        var sum = Began.Totals.Ids;
        foreach (var (id, entry) in Layers.Changes)
        {
            var (was, isThere) = (Began.RowOf(id) is not null, entry is not null);
            if (was == isThere) continue;
            sum = isThere ? sum.With(Encoding.UTF8.GetBytes(id)) : sum.Without(Encoding.UTF8.GetBytes(id));
        }

        return sum;
    }

    /// <summary>The ids of the store's own layers as texts, in no order; no record is read for it.</summary>
    internal IReadOnlyList<string> LayerIds()
    {
        var (ids, changed) = (new List<string>(LayerCount), ChangedRows());
        for (var row = 0; row < Began.Count; row++)
        {
            if (!changed.ContainsKey(row)) ids.Add(Began.IdOf(row));
        }

        ids.AddRange(Layers.Changed.Select(static entry => entry.Record.Id.Value));
        return ids;
    }

    /// <summary>The store's own layers that have a damage, in no order; no other record is read for it.</summary>
    internal IReadOnlyList<LayerRecord> DamagedLayers()
    {
        var damaged = Layers.Changed.Select(static entry => entry.Record).Where(static layer => layer.Damage is not null).ToList();
        if (Began.Totals.Damaged == 0) return damaged;
        var changed = ChangedRows();
        for (var row = 0; row < Began.Count; row++)
        {
            if (Began.IsDamaged(row) && !changed.ContainsKey(row)) damaged.Add(Began[row]);
        }

        return damaged;
    }

    /// <summary>The images of the store's own, oldest first.</summary>
    internal IReadOnlyList<ImageRecord> ListImages()
    {
        var entries = new List<ImageEntry>(ImageEntries.Values);
        entries.Sort(static (one, other) => one.Order.CompareTo(other.Order));
        return entries.ConvertAll(static entry => entry.Record);
    }

    private List<LayerEntry> LayersAsTheyCame()
    {
        var (entries, changed) = (new List<LayerEntry>(LayerCount), ChangedRows());
        for (var row = 0; row < Began.Count; row++)
        {
            // One that went and came again is among the new ones.
            if (!changed.TryGetValue(row, out var entry)) entries.Add(new LayerEntry(Began[row], row));
            else if (entry?.Order == row) entries.Add(entry);
        }

        var added = Layers.Changed.Where(entry => entry.Order >= Began.Count).ToList();
        added.Sort(static (one, other) => one.Order.CompareTo(other.Order));
        entries.AddRange(added);
        return entries;
    }

    /// <summary>The rows of which the layers changed since, or went, and what they are now.</summary>
    private Dictionary<int, LayerEntry?> ChangedRows()
    {
        var changed = new Dictionary<int, LayerEntry?>();
        foreach (var (id, entry) in Layers.Changes)
        {
            if (Began.RowOf(id) is { } row) changed[row] = entry;
        }

        return changed;
    }

    /// <summary>What a user's words name: an exact id or name, else a unique prefix of an id.</summary>
    /// <remarks>The store's own come before those of additional stores.</remarks>
    internal Decision<CatalogProtocol.Resolved> Resolve(string reference)
    {
        var found = ResolveOwn(reference);
        return found.Refusal is { Code: StorageErrorCode.NotFound } && Additional is not null ? ResolveAdditional(reference) : found;
    }

    private Decision<CatalogProtocol.Resolved> ResolveOwn(string reference)
    {
        var layer = ExactLayer(reference);
        var image = ExactImage(reference);
        if (layer is null && image is null && IsDigest(reference)) return ResolveDigest(Digest.Parse(reference));
        if (layer is null && image is null && reference.Length >= ShortestPrefix)
        {
            var (layerId, moreLayers) = FindLayerPrefix(reference);
            var (imageId, moreImages) = ImageIds.FindPrefix(reference);
            if (moreLayers || moreImages || (layerId is not null && imageId is not null))
                return new StorageError(StorageErrorCode.InvalidArgument, "resolve", $"more than one id starts with \"{reference}\"; give more of it", Reason: StorageErrorReason.AmbiguousReference);
            layer = layerId is null ? null : FindOwn(LayerId.Parse(layerId));
            image = imageId is null ? null : FindOwn(ImageId.Parse(imageId));
        }

        return layer is not null || image is not null ? new CatalogProtocol.Resolved(layer, image)
            : Refusals.NotFound("resolve", $"there is no layer or image \"{NameRules.Printable(reference)}\"", StorageErrorReason.UnknownReference);
    }

    private static bool IsDigest(string reference) =>
        reference.Length == 71 && reference.StartsWith("sha256:", StringComparison.Ordinal) && !reference.AsSpan(7).ContainsAnyExcept("0123456789abcdef");

    /// <summary>An image by the digest that is its id; a layer by its ChainID, else by its DiffID, else by its blob. Of layers with one ChainID it is the oldest sound one.</summary>
    private Decision<CatalogProtocol.Resolved> ResolveDigest(Digest digest)
    {
        if (FindOwn(ImageId.Of(digest)) is { } image) return new CatalogProtocol.Resolved(null, image);
        IReadOnlyList<LayerRecord> found = [.. (Chains.Find(digest.Value) ?? []).Select(id => Layers.Find(id)!.Record)];
        if (found.Count == 0) found = LayersWhere(layer => layer.DiffId == digest);
        if (found.Count == 0) found = LayersWhere(layer => layer.BlobDigest == digest);
        if (found.Count == 0) return Refusals.NotFound("resolve", $"there is no layer or image {digest}", StorageErrorReason.UnknownDigest);
        return found.Count == 1 || (found[0].ChainId is { } chain && found.All(layer => layer.ChainId == chain)) ? new CatalogProtocol.Resolved(found.FirstOrDefault(layer => DamageOf(layer) is null) ?? found[0], null)
            : new StorageError(StorageErrorCode.InvalidArgument, "resolve", $"more than one layer has the content {digest}, on different parents; give the id or the ChainID of one", Reason: StorageErrorReason.AmbiguousReference);
    }

    private LayerRecord? ExactLayer(string reference)
    {
        var byId = Layers.Find(reference)?.Record;
        return byId ?? (FindLayerName(reference) is { } named ? FindOwn(named) : null);
    }

    /// <summary>As <see cref="Indexes.FindPrefix"/>, of layers.</summary>
    private (string? First, bool More) FindLayerPrefix(string prefix)
    {
        var (first, more) = NewIds.FindPrefix(prefix);
        foreach (var id in Began.FindPrefix(prefix))
        {
            if (more) break;
            if (Layers.IsChanged(id, out var entry) && entry is null) continue;
            (first, more) = (id, first is not null);
        }

        return (first, more);
    }

    private ImageRecord? ExactImage(string reference)
    {
        var byId = ImageIds.TryGetValue(reference, out var id) ? FindOwn(ImageId.Parse(id)) : null;
        return byId ?? (FindImageName(reference) is { } named ? FindOwn(named) : null);
    }
}
