using System.Collections.Concurrent;
using StorageActors.Linux;

namespace StorageActors.Drivers.Overlay;

/// <summary>
/// Layers that were seen to be ready for a mount with the host's ids: no <see cref="IdsMark"/>, no <see cref="DetachedMark"/>, no <see cref="VolatileMark"/>, and an empty mount
/// point. As long as the layer's directory and the mount point in it are as they were, they still are, and the next mount need not look for each. What the disk says counts: this only
/// saves reading it again, and a new engine begins without it. Safe to use from many threads.
/// </summary>
internal sealed class PlainLayers
{
    /// <summary>More are not kept, for a store where thousands of layers are mounted.</summary>
    private const int Most = 1024;

    private readonly ConcurrentDictionary<string, Seen> _seen = new(StringComparer.Ordinal);

    /// <summary>Whether it was seen to be ready, and has not been mounted in another way since. Not whether it still is: see <see cref="IsStill"/>.</summary>
    internal bool Contains(LayerDirectory layer) => _seen.ContainsKey(layer.Path);

    /// <summary>Whether it was seen to be ready, and nothing has changed.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="point">What lies in the place of its mount point now.</param>
    internal bool IsStill(LayerDirectory layer, in FileStatus point) =>
        _seen.TryGetValue(layer.Path, out var seen) && seen.Point == DirectoryMark.Of(point)
        && Libc.TryStat(layer.Path, out var status) == Errno.None && seen.Layer == DirectoryMark.Of(status);

    /// <summary>It was seen to be ready, after all that is given here had been read.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="now">Seconds of the clock.</param>
    /// <param name="status">Of the layer's directory.</param>
    /// <param name="point">Of the mount point.</param>
    internal void Note(LayerDirectory layer, long now, in FileStatus status, in FileStatus point)
    {
        var seen = new Seen(DirectoryMark.Of(status), DirectoryMark.Of(point));
        if (!point.IsDirectory || !seen.Layer.IsSettled(now) || !seen.Point.IsSettled(now)) return;
        if (_seen.Count >= Most) _seen.Clear();
        _seen[layer.Path] = seen;
    }

    internal void Forget(LayerDirectory layer) => _seen.TryRemove(layer.Path, out _);

    private sealed record Seen(DirectoryMark Layer, DirectoryMark Point);
}
