using StorageActors.Protocol;

namespace StorageActors.Drivers.Overlay;

/// <summary>The names inside an overlay layer's directory, as the peers know them.</summary>
/// <param name="Id">The layer.</param>
/// <param name="Path">Its directory, in the driver's home or in staging.</param>
internal readonly record struct LayerDirectory(LayerId Id, string Path)
{
    /// <summary>The layer's own content: an upper directory while it is written to, a lower one ever after.</summary>
    internal string Diff => Path + "/diff";

    /// <summary>The kernel's scratch space beside <see cref="Diff"/>.</summary>
    internal string Work => Path + "/work";

    /// <summary>The mount point.</summary>
    internal string Merged => Path + "/merged";

    /// <summary>Always empty; the lower that overlayfs insists on where a layer has no parent.</summary>
    internal string Empty => Path + "/empty";

    /// <summary>Which boot wrote to it without syncing; see <see cref="VolatileMark"/>.</summary>
    internal string Volatile => Path + "/volatile";

    /// <summary>In which boot it was unmounted while somebody used it; see <see cref="DetachedMark"/>.</summary>
    internal string Detached => Path + "/detached";

    /// <summary>Whose ids it is mounted with; see <see cref="IdsMark"/>.</summary>
    internal string Ids => Path + "/ids";

    internal static LayerDirectory Of(LayerLocation location) => new(location.Id, location.Path);

    internal static LayerDirectory Of(StagedLayer staged) => new(staged.Id, staged.Path);
}
