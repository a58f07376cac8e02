using StorageActors.Protocol;

namespace StorageActors.Drivers;

/// <summary>Where a layer's directory is: in the driver's home, or, for a parent of the same chain that is not committed yet, in staging.</summary>
/// <param name="Id">The layer.</param>
/// <param name="Path">Absolute path of the directory that holds <c>diff/</c>, <c>link</c>, <c>lower</c>, …</param>
internal sealed record LayerLocation(LayerId Id, string Path)
{
    /// <summary>Which ids of the host those of the layer's container are in its directory.</summary>
    public IdMap Ids { get; init; } = IdMap.Host;
}
