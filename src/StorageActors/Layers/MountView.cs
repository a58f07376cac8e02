using System.Collections.Concurrent;
using StorageActors.Journal;
using StorageActors.Protocol;

namespace StorageActors.Layers;

/// <summary>
/// What is mounted, for readers on any thread: each layer's actor writes its own entry before it answers, so whoever got an answer finds it here; and when that actor ends
/// without having wanted to, its parent finds here what it held.
/// </summary>
internal class MountView
{
    private readonly ConcurrentDictionary<LayerId, MountChange> _layers = new();

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

    /// <summary>The leases on a layer that is mounted, oldest first; none on one that is not.</summary>
    internal IReadOnlyList<LeaseEvent.Granted> LeasesOn(LayerId layer) => _layers.TryGetValue(layer, out var known) && known.Mount is not null ? known.Leases : [];

    /// <summary>For the layer's actor alone, and for tests, which listen.</summary>
    /// <returns>By how many there are more mounts, and leases on them.</returns>
    internal virtual (int Mounts, int Leases) Note(MountChange changed)
    {
        var (mounts, leases) = _layers.TryGetValue(changed.Layer, out var before) ? Count(before) : default;
        if (changed.Mount is null && changed.Leases.Count == 0) _layers.TryRemove(changed.Layer, out _);
        else _layers[changed.Layer] = changed;
        var now = Count(changed);
        return (now.Mounts - mounts, now.Leases - leases);
    }

    private static (int Mounts, int Leases) Count(MountChange known) => known.Mount is null ? default : (1, known.Leases.Count);
}

/// <summary>The mount or the leases of a layer have changed.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="Mount">What there is now; null when it is not mounted.</param>
/// <param name="Leases">The leases on it, oldest first; the journal lacks those that end with this process.</param>
internal sealed record MountChange(LayerId Layer, MountRecord? Mount, IReadOnlyList<LeaseEvent.Granted> Leases);
