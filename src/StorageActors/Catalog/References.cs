using StorageActors.Protocol;

namespace StorageActors.Catalog;

/// <summary>What users write to say which layer or image they mean, the same for whoever answers.</summary>
internal static class References
{
    /// <summary>What an id, a name, a prefix of an id, or an absolute path where something is mounted names.</summary>
    internal static Decision<CatalogProtocol.Resolved> Resolve(CatalogState catalog, Func<string, LayerId?> findMount, string reference)
    {
        if (!reference.StartsWith('/') || reference.Contains('\0', StringComparison.Ordinal)) return catalog.Resolve(reference); // No path has a zero character.
        return findMount(Path.TrimEndingDirectorySeparator(Path.GetFullPath(reference))) is { } id && catalog.FindLayer(id) is { } layer
            ? new CatalogProtocol.Resolved(layer, null) : Refusals.NotFound("resolve", $"no layer is mounted at {NameRules.Printable(reference)}", StorageErrorReason.UnknownReference);
    }

    /// <summary>The oldest sound layer with a ChainID.</summary>
    internal static Decision<CatalogProtocol.Resolved> FindChain(CatalogState catalog, Digest chain) =>
        catalog.FindChain(chain).FirstOrDefault(layer => catalog.DamageOf(layer) is null) is { } layer
            ? new CatalogProtocol.Resolved(layer, null) : Refusals.NotFound("find chain", $"there is no layer with the ChainID {chain}", StorageErrorReason.UnknownDigest);
}
