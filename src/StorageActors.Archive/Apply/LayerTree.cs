using StorageActors.Archive.Tar;

namespace StorageActors.Archive.Apply;

/// <summary>
/// The paths that one layer touches, as a trie. Nodes are numbered in the order of their making, so a parent's number is always smaller than its
/// children's. About 60 bytes a path. Pure: knows nothing of a disk.
/// </summary>
internal sealed class LayerTree
{
    /// <summary>The root's node.</summary>
    internal const int Root = 0;

    private readonly ByteArena _bytes = new();
    private LayerNode[] _nodes = new LayerNode[256];
    private int[] _buckets = new int[512];
    private DirectoryAttributes[] _directories = new DirectoryAttributes[64];
    private int _directoryCount;

    internal LayerTree()
    {
        Add(-1, default);
        MakeDirectory(Root);
        _nodes[Root].State = NodeState.Written;
    }

    /// <summary>Nodes so far.</summary>
    internal int Count { get; private set; }

    internal ref LayerNode this[int node] => ref _nodes[node];

    internal ReadOnlySpan<byte> NameOf(int node) => _bytes.Get(_nodes[node].NameAt, _nodes[node].NameLength);

    /// <summary>The child of that name, whether anything of the layer stands there or not; -1 if the name never came up.</summary>
    internal int Find(int parent, ReadOnlySpan<byte> name)
    {
        for (var node = _buckets[Bucket(parent, name)]; node > 0; node = _nodes[node].NextInBucket)
            if (_nodes[node].Parent == parent && NameOf(node).SequenceEqual(name)) return node;
        return -1;
    }

    /// <summary>The child of that name, made (as nothing) if it never came up.</summary>
    internal int FindOrAdd(int parent, ReadOnlySpan<byte> name)
    {
        var node = Find(parent, name);
        return node >= 0 ? node : Add(parent, name);
    }

    /// <summary>Makes a node a directory whose attributes are still to be said.</summary>
    internal ref DirectoryAttributes MakeDirectory(int node)
    {
        if (_directoryCount == _directories.Length) Array.Resize(ref _directories, _directories.Length * 2);
        _nodes[node].Kind = NodeKind.Directory;
        _nodes[node].Data = _directoryCount++;
        return ref Directory(node);
    }

    internal ref DirectoryAttributes Directory(int node) => ref _directories[_nodes[node].Data];

    /// <summary>Makes a node a link and keeps where it leads.</summary>
    internal void MakeLink(int node, NodeKind kind, ReadOnlySpan<byte> target)
    {
        _nodes[node].Kind = kind;
        _nodes[node].Data = _bytes.AddWithLength(target);
    }

    internal ReadOnlySpan<byte> LinkOf(int node) => _bytes.Get(_nodes[node].Data);

    /// <summary>Forgets what stands at a node and at all below it; the nodes themselves remain.</summary>
    internal void Clear(int node)
    {
        var top = node;
        while (true)
        {
            (_nodes[node].State, _nodes[node].Kind) = (NodeState.None, NodeKind.None);
            if (_nodes[node].FirstChild != 0)
            {
                node = _nodes[node].FirstChild;
                continue;
            }

            while (node != top && _nodes[node].NextSibling == 0) node = _nodes[node].Parent;
            if (node == top) return;
            node = _nodes[node].NextSibling;
        }
    }

    /// <summary>Whether one is the other or lies above it.</summary>
    internal bool IsAtOrAbove(int upper, int lower)
    {
        for (; lower > upper; lower = _nodes[lower].Parent) { }
        return lower == upper;
    }

    /// <summary>The path of a node from the root, without a leading slash; empty for the root.</summary>
    internal ReadOnlySpan<byte> PathOf(int node, ByteBuffer buffer)
    {
        var length = 0;
        for (var at = node; at != Root; at = _nodes[at].Parent) length += _nodes[at].NameLength + 1;
        buffer.Clear();
        if (length == 0) return default;
        var path = buffer.Extend(length - 1);
        var end = path.Length;
        for (var at = node; at != Root; at = _nodes[at].Parent)
        {
            var name = NameOf(at);
            end -= name.Length;
            name.CopyTo(path[end..]);
            if (end > 0) path[--end] = (byte)'/';
        }

        return path;
    }

    internal byte[] PathOf(int node) => PathOf(node, new ByteBuffer()).ToArray();

    private int Add(int parent, ReadOnlySpan<byte> name)
    {
        if (Count == _nodes.Length) Array.Resize(ref _nodes, _nodes.Length * 2);
        if (Count >= _buckets.Length) Rehash(_buckets.Length * 2);
        var node = Count++;
        ref var made = ref _nodes[node];
        (made.Parent, made.NameAt, made.NameLength, made.Entry) = (parent, _bytes.Add(name), checked((byte)name.Length), -1);
        if (node == Root) return node;
        made.NextSibling = _nodes[parent].FirstChild;
        _nodes[parent].FirstChild = node;
        Chain(node);
        return node;
    }

    private int Bucket(int parent, ReadOnlySpan<byte> name) =>
        (int)((uint)(ByteStringComparer.Hash(name) + (parent * -1640531527)) & (uint)(_buckets.Length - 1));

    private void Chain(int node)
    {
        ref var bucket = ref _buckets[Bucket(_nodes[node].Parent, NameOf(node))];
        _nodes[node].NextInBucket = bucket;
        bucket = node;
    }

    private void Rehash(int size)
    {
        _buckets = new int[size];
        for (var node = 1; node < Count; node++) Chain(node);
    }
}
