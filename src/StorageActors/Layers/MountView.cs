using System.Collections.Concurrent;
using StorageActors.Protocol;

namespace StorageActors.Layers;

/// <summary>
/// What is mounted, for readers on any thread: each layer's actor writes its own entry before it answers, so whoever got an answer finds it here.
/// </summary>
internal sealed class MountView
{
    private readonly ConcurrentDictionary<LayerId, LayerInternal.MountChanged> _layers = new();

    /// <summary>All mounts, sorted by layer.</summary>
    internal IReadOnlyList<MountRecord> List() =>
        [.. _layers.Values.Select(static layer => layer.Mount).OfType<MountRecord>().OrderBy(static mount => mount.Layer.Value, StringComparer.Ordinal)];

    /// <summary>Whether the layer is mounted by the engine.</summary>
    internal bool IsMounted(LayerId layer) => _layers.TryGetValue(layer, out var known) && known.Mount is not null;

    /// <summary>Whether somebody holds the layer, or its mount is there still.</summary>
    internal bool IsHeld(LayerId layer) => _layers.ContainsKey(layer);

    /// <summary>The layer that is mounted at a path.</summary>
    internal LayerId? FindPath(string path) =>
        _layers.Values.FirstOrDefault(layer => string.Equals(layer.Mount?.Path, path, StringComparison.Ordinal))?.Layer;

    /// <summary>For the layer's actor alone.</summary>
    internal void Note(LayerInternal.MountChanged changed)
    {
        if (changed.Mount is null && changed.Leases.Count == 0) _layers.TryRemove(changed.Layer, out _);
        else _layers[changed.Layer] = changed;
    }
}
