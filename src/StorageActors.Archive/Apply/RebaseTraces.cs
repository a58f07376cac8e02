using StorageActors.Linux;

namespace StorageActors.Archive.Apply;

/// <summary>The directories of a layer that its rebase has touched, and what they were before. Lives as long as the layer's decisions, over all attempts.</summary>
internal sealed class RebaseTraces
{
    private readonly Dictionary<byte[], FileStatus?> _before = new(ByteStringComparer.Instance);
    private readonly List<byte[]> _order = [];

    /// <summary>In the order in which they were touched first: parents before children.</summary>
    internal IReadOnlyList<byte[]> Order => _order;

    internal bool Contains(ReadOnlySpan<byte> path) => _before.GetAlternateLookup<ReadOnlySpan<byte>>().ContainsKey(path);

    /// <summary>What it was; null for one that the rebase makes.</summary>
    internal FileStatus? Before(byte[] path) => _before[path];

    /// <summary>Keeps what a directory was, unless that is known already.</summary>
    internal void Remember(ReadOnlySpan<byte> path, FileStatus? before)
    {
        var key = path.ToArray();
        if (_before.TryAdd(key, before)) _order.Add(key);
    }

    /// <summary>From now on this is what it was.</summary>
    internal void Replace(byte[] path, FileStatus before) => _before[path] = before;
}
