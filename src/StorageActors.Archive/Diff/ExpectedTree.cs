using StorageActors.Archive.Apply;
using StorageActors.Archive.Tar;
using StorageActors.Archive.TarSplit;
using StorageActors.Linux;

namespace StorageActors.Archive.Diff;

/// <summary>What a layer must have at a path that has an entry of its own.</summary>
/// <remarks>The CRC-64 is that of all data, for a sparse file that of its extents; attributes have the names that they are stored by.</remarks>
internal sealed record ExpectedEntry(
    FileType Type, uint Uid, uint Gid, uint Mode, long Size, long? Seconds, DeviceNumber Device, byte[] LinkName, ulong Crc, TarExtent[]? Extents,
    IReadOnlyList<(byte[] Name, byte[] Value)> Attributes);

/// <summary>
/// What a layer's content must be by the record of its archive: the archive is applied once more, by the rules that extraction has (<see cref="LayerChanges"/>), to
/// nothing but a tree in memory.
/// </summary>
internal sealed class ExpectedTree
{
    private readonly LayerChanges _changes;
    private readonly IWhiteoutFormat _format;
    private readonly Dictionary<int, ExpectedEntry> _entries = [];
    private readonly Dictionary<byte[], ExpectedEntry> _aufsLinks = new(ByteStringComparer.Instance);
    private readonly ByteBuffer _clean = new();
    private readonly ByteBuffer _target = new();

    private ExpectedTree(IWhiteoutFormat format)
    {
        (_format, _changes) = (format, new LayerChanges(Tree, NoTreeEffects.Instance, format.InPlace));
    }

    /// <summary>The layer's paths.</summary>
    internal LayerTree Tree { get; } = new();

    /// <summary>
    /// Whether every entry could be placed. One that leads through a link of the layers below, in place, cannot; then what else is there may be its doing.
    /// </summary>
    internal bool IsWhole { get; private set; } = true;

    /// <summary>Reads a layer's record.</summary>
    internal static ExpectedTree Read(Stream record, IWhiteoutFormat format, CancellationToken stop)
    {
        var expected = new ExpectedTree(format);
        using var headers = new TarSplitHeaders(record);
        while (headers.MoveNext())
        {
            stop.ThrowIfCancellationRequested();
            try
            {
                expected.Add(headers);
            }
            catch (EntryFault)
            {
                expected.IsWhole = false;
            }
        }

        return expected;
    }

    /// <summary>What the node's own entry says; null when it has none: an implied directory, a hard link to a file of the layers below.</summary>
    internal ExpectedEntry? Find(int node) => Tree[node].Is(NodeState.Explicit) ? _entries.GetValueOrDefault(node) : null;

    /// <summary>Whether something above the node hides all that the layers below have there.</summary>
    internal bool IsBelowHidden(int node) => _changes.IsBelowHidden(node);

    private void Add(TarSplitHeaders headers)
    {
        var entry = headers.Current;
        var path = LayerPath.Clean(entry.Name, _clean, out var fault);
        if (fault is not null) throw new EntryFault(fault);
        _changes.Entry = entry.Index;
        switch (EntryRoles.Of(path, out var hidden))
        {
            case EntryRole.Ordinary: AddOrdinary(headers, path); break;
            case EntryRole.Whiteout: _changes.Whiteout(LayerPath.Split(path, out _), hidden); break;
            case EntryRole.Opaque: _changes.Opaque(LayerPath.Split(path, out _)); break;
            case EntryRole.AufsLink when entry.Type == TarEntryType.RegularFile: _aufsLinks[path.ToArray()] = Make(headers, FileType.Regular); break;
        }
    }

    private void AddOrdinary(TarSplitHeaders headers, ReadOnlySpan<byte> path)
    {
        var entry = headers.Current;
        if (path.IsEmpty)
        {
            Tree[LayerTree.Root].State |= NodeState.Explicit;
            _entries[LayerTree.Root] = Make(headers, FileType.Directory);
            return;
        }

        var parent = _changes.MakeParent(LayerPath.Split(path, out var name));
        switch (entry.Type)
        {
            case TarEntryType.RegularFile: Place(NodeKind.File, FileType.Regular, parent, name); break;
            case TarEntryType.Directory: Place(NodeKind.Directory, FileType.Directory, parent, name); break;
            case TarEntryType.SymbolicLink: Tree.MakeLink(Place(NodeKind.SymbolicLink, FileType.SymbolicLink, parent, name), NodeKind.SymbolicLink, entry.LinkName); break;
            case TarEntryType.HardLink: AddHardLink(entry, parent, name); break;
            case TarEntryType.CharacterDevice: Place(NodeKind.Special, FileType.CharacterDevice, parent, name); break;
            case TarEntryType.BlockDevice: Place(NodeKind.Special, FileType.BlockDevice, parent, name); break;
            case TarEntryType.Fifo: Place(NodeKind.Special, FileType.Fifo, parent, name); break;
        }

        int Place(NodeKind kind, FileType type, int parent, ReadOnlySpan<byte> name)
        {
            var node = _changes.Place(parent, name, kind).Node;
            _entries[node] = Make(headers, type);
            return node;
        }
    }

    /// <summary>Another name of what its target is at that moment.</summary>
    private void AddHardLink(TarEntry entry, int parent, ReadOnlySpan<byte> name)
    {
        var path = LayerPath.Clean(entry.LinkName, _target, out var fault);
        if (fault is not null) throw new EntryFault(fault);
        if (_aufsLinks.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(path, out var kept))
        {
            _entries[_changes.Place(parent, name, NodeKind.File).Node] = kept;
            return;
        }

        var target = _changes.FindTarget(path);
        if (target < 0) throw new EntryFault("the target of the hard link is not there");
        if (Tree.Find(parent, name) == target && Tree[target].Is(NodeState.Written)) return;
        var known = Tree[target].Is(NodeState.Written) && Tree[target].Kind != NodeKind.PendingLink ? _entries.GetValueOrDefault(target) : null;
        var link = Tree[target].Kind == NodeKind.SymbolicLink ? Tree.LinkOf(target).ToArray() : null;
        var node = _changes.Place(parent, name, known is null ? NodeKind.PendingLink : Tree[target].Kind).Node;
        if (known is null)
        {
            Tree.MakeLink(node, NodeKind.PendingLink, path);
            _entries.Remove(node);
            return;
        }

        if (link is not null) Tree.MakeLink(node, NodeKind.SymbolicLink, link);
        _entries[node] = known;
    }

    private ExpectedEntry Make(TarSplitHeaders headers, FileType type)
    {
        var entry = headers.Current;
        return new ExpectedEntry(
            type, (uint)entry.Uid, (uint)entry.Gid, (uint)entry.Mode & ModeBits.All, entry.Size,
            // What a file system cannot hold it cuts.
            entry.Mtime.Seconds is > 0 and < int.MaxValue ? entry.Mtime.Seconds : null,
            new DeviceNumber((uint)entry.DeviceMajor, (uint)entry.DeviceMinor), entry.LinkName.ToArray(),
            headers.Crc ?? 0, entry.IsSparse ? entry.Extents.ToArray() : null, Attributes(entry));
    }

    private List<(byte[] Name, byte[] Value)> Attributes(TarEntry entry)
    {
        var kept = new List<(byte[] Name, byte[] Value)>();
        var renamed = new ByteBuffer();
        foreach (var xattr in entry.Xattrs)
        {
            // An ACL's ids and a measurement may be stored in another form than they came.
            if (xattr.Name.Span.StartsWith("system."u8) || XattrNamespaces.IsMeasurement(xattr.Name.Span)) continue;
            var rule = _format.OnExtract(xattr.Name.Span, renamed);
            if (rule is not (XattrRule.Keep or XattrRule.Rename)) continue;
            var stored = rule == XattrRule.Rename ? renamed.Span.ToArray() : xattr.Name.ToArray();
            kept.RemoveAll(other => other.Name.AsSpan().SequenceEqual(stored));
            kept.Add((stored, xattr.Value.ToArray()));
        }

        return kept;
    }
}
