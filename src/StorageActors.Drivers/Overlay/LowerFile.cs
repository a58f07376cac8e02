using StorageActors.Protocol;

namespace StorageActors.Drivers.Overlay;

/// <summary>
/// What says on disk which layers are below, nearest first: <c>lower</c> by short links (<c>l/A:l/B</c>, every peer reads it) and <c>lower-layers</c> by
/// ids (<c>a:b</c>, newer ones prefer it). A base layer has neither. Our own mounts go by the store's records.
/// </summary>
internal static class LowerFile
{
    /// <summary>Writes both; <paramref name="links"/> and <paramref name="layers"/> are of the same layers.</summary>
    internal static void Write(LayerDirectory layer, IReadOnlyList<string> links, IReadOnlyList<LayerId> layers)
    {
        if (links.Count == 0)
        {
            SmallFile.TryDelete(layer.Path + "/lower");
            SmallFile.TryDelete(layer.Path + "/lower-layers");
            return;
        }

        SmallFile.Write(layer.Path + "/lower", string.Join(':', links));
        SmallFile.Write(layer.Path + "/lower-layers", string.Join(':', layers));
    }

    /// <summary>The links as they stand in <c>lower</c>; empty for a base layer.</summary>
    internal static IReadOnlyList<string> ReadLinks(LayerDirectory layer) =>
        SmallFile.TryRead(layer.Path + "/lower") is { Length: > 0 } text ? text.Split(':') : [];
}
