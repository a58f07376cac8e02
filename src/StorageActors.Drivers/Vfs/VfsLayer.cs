using StorageActors.Protocol;

namespace StorageActors.Drivers.Vfs;

/// <summary>The names inside a vfs layer's directory.</summary>
/// <param name="Id">The layer.</param>
/// <param name="Path">Its directory, in the driver's home or in staging.</param>
internal readonly record struct VfsLayer(LayerId Id, string Path)
{
    /// <summary>All files of the layer, those of the layers below included.</summary>
    internal string Tree => Path + "/diff";

    /// <summary>The id of the layer that the tree began as a copy of; no file in a base layer.</summary>
    internal string Parent => Path + "/parent";

    internal static VfsLayer Of(LayerLocation location) => new(location.Id, location.Path);

    internal static VfsLayer Of(StagedLayer staged) => new(staged.Id, staged.Path);
}
