using StorageActors.Drivers;
using StorageActors.Protocol;
using StorageActors.Store;

namespace StorageActors.Catalog;

/// <content>
/// What lies in additional stores: found where the store itself has nothing of that id, and never changed by an event. Which names are free, what may go, and what is
/// looked after are questions about the store's own records alone.
/// </content>
internal sealed partial record CatalogState
{
    private CatalogState? Additional { get; init; }

    /// <summary>How many layers and images there are in additional stores.</summary>
    internal (int Layers, int Images) AdditionalCount => (Additional?.LayerCount ?? 0, Additional?.ImageCount ?? 0);

    /// <summary>The same store with others behind it.</summary>
    internal CatalogState Over(CatalogState? additional) => this with { Additional = additional };

    /// <summary>
    /// What additional stores have, as one state: their sealed layers and their images. Of what several have under one id or name, the first one's is seen.
    /// </summary>
    /// <param name="stores">Their roots and what they hold, in the order in which they are searched.</param>
    internal static CatalogState Merge(IEnumerable<(string Root, CatalogState Catalog)> stores)
    {
        var merged = Empty;
        foreach (var (root, catalog) in stores)
        {
            foreach (var layer in catalog.ListLayers().Where(layer => layer.Kind == LayerKind.Sealed && merged.FindOwn(layer.Id) is null))
                merged = merged.Put(layer with { AdditionalStore = root, Names = [.. layer.Names.Where(name => merged.LayerNames.Find(name) is null)] });
            foreach (var image in catalog.ListImages().Where(image => merged.FindOwn(image.Id) is null))
                merged = merged.Put(image with { AdditionalStore = root, Names = [.. image.Names.Where(name => !merged.ImageNames.ContainsKey(name))] });
        }

        return merged;
    }

    /// <summary>The layer, unless it lies in an additional store.</summary>
    internal LayerRecord? FindOwn(LayerId id) => Layers.Find(id.ToString())?.Record;

    /// <summary>The additional store that a layer lies in; null when it is the store's own, or nobody's.</summary>
    internal string? StoreOf(LayerId id) => Additional is null || FindOwn(id) is not null ? null : Additional.FindOwn(id)?.AdditionalStore;

    /// <summary>Where a layer is, of the store or of an additional one, with what its record says of the owners there.</summary>
    internal LayerLocation Locate(StoreLayout layout, LayerId id)
    {
        var location = layout.Of(StoreOf(id)).Locate(id);
        return FindLayer(id) is { } layer && IdMap.Of(layer) is var ids && !ids.IsHost() ? location with { Ids = ids } : location;
    }

    /// <summary>What users see: the layers of additional stores that are not hidden, then the store's own.</summary>
    internal IReadOnlyList<LayerRecord> WithAdditional(IReadOnlyList<LayerRecord> own) =>
        Additional is null ? own : [.. Additional.ListLayers().Where(layer => FindOwn(layer.Id) is null).Select(Visible), .. own];

    /// <summary>The same of images.</summary>
    internal IReadOnlyList<ImageRecord> WithAdditional(IReadOnlyList<ImageRecord> own) =>
        Additional is null ? own : [.. Additional.ListImages().Where(image => !ImageEntries.ContainsKey(image.Id.Value)).Select(Visible), .. own];

    /// <summary>Layers of additional stores that one of the store's own is below, since it has the id and the content of the one that they were made on.</summary>
    private IEnumerable<LayerId> ChildrenElsewhere(LayerId id) => FindOwn(id) is not { } below ? [] : Additional!.ChildrenOf(id)
        .Where(child => FindOwn(child) is null && !IsAnother(below, Additional.FindOwn(child)!));

    private Decision<CatalogProtocol.Resolved> ResolveAdditional(string reference)
    {
        if (Additional!.ResolveOwn(reference).IsRefused(out var refusal, out var found)) return refusal;
        // A name leads to nothing that the store has another of; a part of an id that it has would have been found there.
        var layer = found.Layer is { } one && FindOwn(one.Id) is null ? Visible(one) : null;
        var image = found.Image is { } other && FindOwn(other.Id) is null ? Visible(other) : null;
        return layer is not null || image is not null ? new CatalogProtocol.Resolved(layer, image)
            : Refusals.NotFound("resolve", $"there is no layer or image \"{NameRules.Printable(reference)}\"", StorageErrorReason.UnknownReference);
    }

    /// <summary>Without the names that the store has given to its own.</summary>
    private LayerRecord Visible(LayerRecord layer) =>
        layer.Names.Any(name => LayerNames.Find(name) is not null) ? layer with { Names = [.. layer.Names.Where(name => LayerNames.Find(name) is null)] } : layer;

    private ImageRecord Visible(ImageRecord image) =>
        image.Names.Any(ImageNames.ContainsKey) ? image with { Names = [.. image.Names.Where(name => !ImageNames.ContainsKey(name))] } : image;

    /// <summary>
    /// Whether a layer of another store is not the one below which a layer was made, but has its id for something else. Where no digest can say it, a layer of an
    /// additional store rests on its own store alone.
    /// </summary>
    private static bool IsAnother(LayerRecord below, LayerRecord above)
    {
        if (above.AdditionalStore == below.AdditionalStore) return false;
        return above is { ChainId: { } chain, DiffId: { } diff } && below.ChainId is { } under ? Digest.Chain(under, diff) != chain : above.AdditionalStore is not null;
    }
}
