using StorageActors.Protocol;

namespace StorageActors.Catalog;

/// <summary>Which layers nothing needs.</summary>
internal static class Removable
{
    /// <summary>
    /// The layers that go with an image, top first: down to the first that another image, a child, a name or (unless <paramref name="force"/>) a lease needs.
    /// </summary>
    internal static IReadOnlyList<LayerId> With(CatalogState state, ImageRecord image, Func<LayerId, bool> isLeased, bool force)
    {
        var going = new List<LayerId>();
        foreach (var id in image.Layers.Reverse())
        {
            if (state.FindLayer(id) is not { } layer) continue;
            if (layer.AdditionalStore is not null) break;
            var hasOtherChildren = state.ChildrenOf(id).Any(child => !going.Contains(child));
            var hasOtherImages = state.ImagesOf(id).Any(other => other != image.Id);
            if (hasOtherChildren || hasOtherImages || layer.Names.Count > 0 || layer.Kind != LayerKind.Sealed || (!force && isLeased(id))) break;
            going.Add(id);
        }

        return going;
    }

    /// <summary>
    /// All sealed layers without names that no image, no child that stays, and no lease needs: children first. One that was made after
    /// <paramref name="latest"/> stays.
    /// </summary>
    internal static IReadOnlyList<LayerId> Garbage(CatalogState state, Func<LayerId, bool> isHeld, DateTimeOffset? latest = null)
    {
        var going = new List<LayerId>();
        var gone = new HashSet<LayerId>();
        foreach (var layer in state.ListLayers().Reverse())
        {
            if (layer.Kind != LayerKind.Sealed || layer.Names.Count > 0 || state.ImagesOf(layer.Id).Count > 0 || isHeld(layer.Id)) continue;
            if (latest is { } last && layer.Created > last) continue;
            if (state.ChildrenOf(layer.Id).All(gone.Contains) && gone.Add(layer.Id)) going.Add(layer.Id);
        }

        return going;
    }

    /// <summary>When the youngest layer was made that is so old; null for any age.</summary>
    internal static DateTimeOffset? Latest(DateTimeOffset now, TimeSpan? age) =>
        age is not { } known ? null : known > now - DateTimeOffset.MinValue ? DateTimeOffset.MinValue : now - known;
}
