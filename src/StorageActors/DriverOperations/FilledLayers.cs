using System.Collections.Concurrent;
using StorageActors.Archive.Apply;
using StorageActors.Drivers;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.DriverOperations;

/// <summary>
/// Layers that were filled from a tar and are not frozen yet: what the tar was, and what is to be settled when the layers below are known. Kept in memory alone:
/// after a restart such a layer cannot be frozen, and its client fills another one.
/// </summary>
internal sealed class FilledLayers
{
    private readonly ConcurrentDictionary<LayerId, FilledLayer> _layers = new();

    internal FilledLayer? Find(LayerId layer) => _layers.GetValueOrDefault(layer);

    internal void Add(FilledLayer layer) => _layers[layer.Staged.Id] = layer;

    internal void Remove(LayerId layer) => _layers.TryRemove(layer, out _);
}

/// <summary>One of them.</summary>
/// <param name="Staged">As the driver knows it, with what it has to settle.</param>
/// <param name="Result">What the tar was.</param>
/// <param name="Until">When it was complete, by the clock of its file system; what was changed later is somebody else's work.</param>
internal sealed record FilledLayer(StagedLayer Staged, ExtractResult Result, TimeSpec Until);
