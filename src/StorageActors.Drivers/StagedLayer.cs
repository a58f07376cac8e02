using StorageActors.Protocol;

namespace StorageActors.Drivers;

/// <summary>
/// A layer while it is made, in a directory of its own on the store's file system, with the shape that it will have in the driver's home.
/// Owned by one extraction; not thread safe.
/// </summary>
internal sealed class StagedLayer(LayerId id, string path, bool writable)
{
    internal LayerId Id { get; } = id;

    /// <summary>Absolute path of the directory; exists, empty, 0700 when the driver first sees it. Renamed as a whole at commit.</summary>
    internal string Path { get; } = path;

    /// <summary>Whether the layer takes writes after commit (a container's layer) or is filled by an extraction alone.</summary>
    internal bool Writable { get; } = writable;

    /// <summary>Which ids of the host those of the container are that is to write to the layer; the host's own for one that is filled by an extraction.</summary>
    internal IdMap Ids { get; init; } = IdMap.Host;

    /// <summary>
    /// The layers below, nearest first; null while they are not known yet. A driver that can rebase extracts without them and settles in
    /// <see cref="ILayerDriver.Rebase"/> what needs them.
    /// </summary>
    internal IReadOnlyList<LayerLocation>? Parents { get; set; }

    /// <summary>Ends what a driver does for this layer and takes long: the copy of a parent. An extraction has one of its own.</summary>
    internal CancellationToken Stop { get; set; }

    /// <summary>What the driver keeps between its calls for this layer (decisions deferred to the rebase).</summary>
    internal object? DriverState { get; set; }
}
