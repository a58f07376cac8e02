using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Tar;
using StorageActors.Archive.TarSplit;
using StorageActors.Linux;

namespace StorageActors.Archive.Apply;

/// <summary>Applies the entries of one archive, in its order, to a tree on disk. Runs on one thread.</summary>
internal sealed class EntryApplier : IDisposable
{
    private readonly ExtractTarget _target;
    private readonly TarSplitWriter _record;
    private readonly CancellationToken _stop;
    private readonly LayerTree _tree = new();
    private readonly TreeOnDisk _disk;
    private readonly LayerChanges _changes;
    private readonly XattrWriter _xattrs;
    private readonly InodeWriter _inodes;
    private readonly FileFinisher _finisher;
    private readonly AufsLinks _aufsLinks;
    private readonly ByteBuffer _clean = new();
    private readonly ByteBuffer _cleanTarget = new();
    private readonly IdSet _uids = new();
    private readonly IdSet _gids = new();
    private readonly List<(int Node, long Entry)> _lowerTargets = [];

    /// <param name="target">Where to.</param>
    /// <param name="record">Is told which payloads the tree will not have.</param>
    /// <param name="exactModes">Whether this thread's umask is 0.</param>
    /// <param name="stop">Asked before each entry and each piece of a file.</param>
    internal EntryApplier(ExtractTarget target, TarSplitWriter record, bool exactModes, CancellationToken stop)
    {
        (_target, _record, _stop) = (target, record, stop);
        _disk = new TreeOnDisk(target, _tree, record) { Settle = Settle };
        _changes = new LayerChanges(_tree, _disk, target.Whiteouts.InPlace);
        _xattrs = new XattrWriter(target, Warnings);
        _inodes = new InodeWriter(target, _xattrs, Warnings, exactModes) { MakeRoom = (directory, name) => _disk.MakeRoom(directory, name) };
        _finisher = new FileFinisher(_inodes);
        _aufsLinks = new AufsLinks(target.LayerDirectory);
        if (target.Whiteouts.InPlace) _disk.Adopt(LayerTree.Root, Libc.FStat(target.Root));
    }

    internal ApplyWarnings Warnings { get; } = new();

    /// <summary>Paths so far that are, were or are hidden: what the extraction keeps in memory. The root is none.</summary>
    internal int Paths => _tree.Count - 1;

    /// <summary>Distinct owners so far, sorted.</summary>
    internal IReadOnlyList<long> Uids => _uids.ToList();

    /// <summary>Distinct groups so far, sorted.</summary>
    internal IReadOnlyList<long> Gids => _gids.ToList();

    /// <summary>Applies the entry that a reader stands on.</summary>
    internal void Apply(TarReader reader)
    {
        _stop.ThrowIfCancellationRequested();
        var entry = reader.Current;
        try
        {
            Dispatch(reader, entry);
        }
        catch (EntryFault fault)
        {
            throw Refused(entry.Index, entry.Name, fault.Message, fault.OverLimit, fault);
        }
        catch (LinuxException e) when (e.Errno is Errno.ENAMETOOLONG)
        {
            throw Refused(entry.Index, entry.Name, "its name is too long for the file system (ENAMETOOLONG)", overLimit: false, e);
        }
    }

    /// <summary>Returns when every file of the entries so far has its content. To be called before the block of an entry goes.</summary>
    internal void Settle() => _finisher.Settle();

    /// <summary>After the last entry: what could not be decided, and the attributes of directories.</summary>
    internal DeferredDecisions Complete()
    {
        Settle();
        foreach (var (node, entry) in _lowerTargets)
        {
            if (_tree[node].Is(NodeState.Written) || !_changes.IsHidden(node)) continue;
            throw Refused(entry, _tree.PathOf(node), "a hard link names it, and the same layer hides it", overLimit: false);
        }

        if (_target.Whiteouts.InPlace) MakePendingLinks();
        new DirectoryPass(_target, _tree, _disk.Handles, _xattrs, _inodes).Run();
        return _target.Whiteouts.InPlace ? DeferredDecisions.None : DeferredDecisions.Of(_tree, _changes, _target.Whiteouts);
    }

    public void Dispose()
    {
        _finisher.Dispose();
        _disk.Dispose();
        _aufsLinks.Dispose();
    }

    internal static LayerApplyException Refused(long index, ReadOnlySpan<byte> name, string reason, bool overLimit, Exception? inner = null)
    {
        var path = PathText.Escape(name);
        var message = $"tar entry {index + 1} \"{path}\": {reason}";
        return new LayerApplyException(
            new Protocol.StorageError(
                overLimit ? Protocol.StorageErrorCode.LimitExceeded : Protocol.StorageErrorCode.BadInput, LayerApplyException.Extracting, message, path),
            inner);
    }

    private void Dispatch(TarReader reader, TarEntry entry)
    {
        var path = LayerPath.Clean(entry.Name, _clean, out var fault);
        if (fault is not null) throw new EntryFault(fault);
        if (path.Length > _target.Whiteouts.MaximumNameLength) CheckNames(path);
        _changes.Entry = entry.Index;
        _changes.Time = EntryAttributes.ToTimeSpec(entry.Mtime);
        if (entry.Index == 0) UseAsRootTime(_changes.Time);

        switch (EntryRoles.Of(path, out var hidden))
        {
            case EntryRole.Ordinary:
                ApplyOrdinary(reader, entry, path);
                break;
            case EntryRole.Whiteout:
                _record.KeepPayload();
                _changes.Whiteout(LayerPath.Split(path, out _), hidden);
                break;
            case EntryRole.Opaque:
                _record.KeepPayload();
                _changes.Opaque(LayerPath.Split(path, out _));
                break;
            case EntryRole.AufsLink when entry.Type == TarEntryType.RegularFile:
                _record.KeepPayload();
                KeepAufsLink(reader, entry, path);
                break;
            case EntryRole.AufsLink or EntryRole.AufsMetadata:
                _record.KeepPayload();
                break;
            default:
                throw new EntryFault("it is no valid whiteout, or lies below one");
        }
    }

    private void CheckNames(ReadOnlySpan<byte> path)
    {
        while (LayerPath.TakeFirst(ref path) is { IsEmpty: false } part)
        {
            var longest = _target.Whiteouts.MaximumNameLength + (EntryRoles.IsReserved(part) ? EntryRoles.WhiteoutOf(default).Length : 0);
            if (part.Length <= longest) continue;
            throw new EntryFault($"a part of its name has {part.Length} bytes, where this driver can show {longest} (ENAMETOOLONG)");
        }
    }

    private void ApplyOrdinary(TarReader reader, TarEntry entry, ReadOnlySpan<byte> path)
    {
        var attributes = EntryAttributes.Of(entry);
        _uids.Add(entry.Uid);
        _gids.Add(entry.Gid);
        if (path.IsEmpty)
        {
            if (entry.Type != TarEntryType.Directory) throw new EntryFault("the root of a layer can only be a directory");
            SetDirectory(LayerTree.Root, new Placement(LayerTree.Root, LayerTree.Root, Merges: true), entry, attributes);
            _tree[LayerTree.Root].State |= NodeState.Explicit;
            return;
        }

        var parent = _changes.MakeParent(LayerPath.Split(path, out var name));
        switch (entry.Type)
        {
            case TarEntryType.RegularFile:
                WriteFile(reader, entry, attributes, _changes.Place(parent, name, NodeKind.File), name);
                break;
            case TarEntryType.Directory:
                SetDirectory(parent, _changes.Place(parent, name, NodeKind.Directory), entry, attributes);
                break;
            case TarEntryType.SymbolicLink:
                if (entry.LinkName.IsEmpty) throw new EntryFault("a symbolic link without a target");
                if (entry.LinkName.Length > LayerPath.MaxLength) throw new EntryFault("the target of the symbolic link is too long (ENAMETOOLONG)");
                var link = _changes.Place(parent, name, NodeKind.SymbolicLink);
                _tree.MakeLink(link.Node, NodeKind.SymbolicLink, entry.LinkName);
                _inodes.MakeSymbolicLink(_disk.Handles.Get(parent), name, entry, attributes);
                break;
            case TarEntryType.HardLink:
                MakeHardLink(entry, parent, name);
                break;
            case TarEntryType.CharacterDevice or TarEntryType.BlockDevice or TarEntryType.Fifo:
                RequireDevice(entry);
                _changes.Place(parent, name, NodeKind.Special);
                _inodes.MakeSpecial(_disk.Handles.Get(parent), name, entry, attributes);
                break;
            default:
                throw new EntryFault($"its type \"{PathText.Escape([entry.TypeFlag])}\" is none that a layer can have");
        }
    }

    private void WriteFile(TarReader reader, TarEntry entry, in EntryAttributes attributes, Placement placement, ReadOnlySpan<byte> name)
    {
        // The finished layer is asked for the name in the archive, and a link on the way may mean something else by then.
        if (_changes.ThroughLink) _record.KeepPayload();
        else if (entry.PackedSize > 0) _tree[placement.Node].State |= NodeState.HasPayload;
        if (_inodes.CanCompleteElsewhere(entry) && reader.TryReadWhole(out var content))
        {
            _finisher.Add(_inodes.CreateFile(_disk.Handles.Get(placement.Parent), name, attributes), content, attributes);
            return;
        }

        using var file = _inodes.CreateFile(_disk.Handles.Get(placement.Parent), name, attributes);
        WriteContent(reader, entry, file);
        _inodes.CompleteFile(file, attributes, entry);
    }

    private void WriteContent(TarReader reader, TarEntry entry, SafeFileHandle file)
    {
        if (!entry.IsSparse)
        {
            while (reader.ReadPiece(out _, out var data))
            {
                Libc.WriteAll(file, data);
                _stop.ThrowIfCancellationRequested();
            }

            return;
        }

        while (reader.ReadPiece(out var offset, out var data))
        {
            Libc.PWriteAll(file, data, offset);
            _stop.ThrowIfCancellationRequested();
        }

        Libc.FTruncate(file, entry.Size);   // a hole at the end
    }

    private void SetDirectory(int parent, Placement placement, TarEntry entry, in EntryAttributes attributes)
    {
        var node = placement.Node;
        var isRoot = node == LayerTree.Root;
        var directory = isRoot ? _target.Root : _disk.Handles.Get(parent);
        var name = isRoot ? default : _tree.NameOf(node);
        if (placement.Merges || (_target.Whiteouts.InPlace && _disk.TryAdopt(directory, node)))
        {
            _xattrs.Clear(directory, name, entry);
        }
        else
        {
            // Writable for us while it fills; the owner comes last, so that nothing inherits a group meanwhile.
            var mode = (attributes.Mode & ModeBits.Permissions) | 0x1c0;
            _disk.MakeDirectory(directory, name, mode);
            _tree.Directory(node).CurrentMode = mode;
        }

        ref var wanted = ref _tree.Directory(node);
        (wanted.UserId, wanted.GroupId, wanted.Mode) = (attributes.UserId, attributes.GroupId, attributes.Mode);
        (wanted.Access, wanted.Modify, wanted.DefaultAcl) = (attributes.Access, attributes.Modify, null);
        if (!entry.Xattrs.IsEmpty) wanted.DefaultAcl = _xattrs.Set(directory, name, entry);
    }

    private void MakeHardLink(TarEntry entry, int parent, ReadOnlySpan<byte> name)
    {
        var targetPath = LayerPath.Clean(entry.LinkName, _cleanTarget, out var fault);
        if (fault is not null) throw new EntryFault($"the target of the hard link is refused: {fault}");
        if (targetPath.IsEmpty) throw new EntryFault("a hard link to the root");
        if (_aufsLinks.TryFind(targetPath, out var home, out var file))
        {
            var placed = Place(parent, name, NodeKind.File);
            Link(home, file, _disk.Handles.Get(placed.Parent), name);
            return;
        }

        if (EntryRoles.Of(targetPath, out _) != EntryRole.Ordinary) throw new EntryFault($"the target of the hard link \"{PathText.Escape(targetPath)}\" is no file of a layer");
        var target = _changes.FindTarget(targetPath);
        if (target < 0) throw new EntryFault($"the target of the hard link \"{PathText.Escape(targetPath)}\" is not there, or hidden by this layer");
        ref var at = ref _tree[target];
        if (target == LayerTree.Root || (at.Is(NodeState.Written) && at.Kind == NodeKind.Directory)) throw new EntryFault("a hard link to a directory");
        var existing = _tree.Find(parent, name);
        if (existing == target && at.Is(NodeState.Written)) return;   // a link to itself
        if (existing >= 0 && _tree.IsAtOrAbove(existing, target)) throw new EntryFault("a hard link that replaces its own target");

        if (at.Is(NodeState.Written) && at.Kind != NodeKind.PendingLink) LinkTo(target, parent, name);
        else LinkToLower(target, parent, name, entry.Index);
    }

    private void LinkTo(int target, int parent, ReadOnlySpan<byte> name)
    {
        var placed = Place(parent, name, _tree[target].Kind);
        if (_tree[target].Kind == NodeKind.SymbolicLink) _tree.MakeLink(placed.Node, NodeKind.SymbolicLink, _tree.LinkOf(target).ToArray());
        Link(_disk.Handles.Get(_tree[target].Parent), _tree.NameOf(target), _disk.Handles.Get(placed.Parent), name);
    }

    private void LinkToLower(int target, int parent, ReadOnlySpan<byte> name, long entry)
    {
        var targetPath = _tree[target].Kind == NodeKind.PendingLink ? _tree.LinkOf(target).ToArray() : _tree.PathOf(target);
        if (!_tree[target].Is(NodeState.Written)) _lowerTargets.Add((target, entry));
        var placed = Place(parent, name, NodeKind.PendingLink);
        _tree.MakeLink(placed.Node, NodeKind.PendingLink, targetPath);
        if (!_target.Whiteouts.InPlace) return;

        // In place, the file of the layers below is here. Otherwise it may still come, later in the archive.
        var errno = _disk.Handles.TryGet(_tree[target].Parent, out var from);
        if (errno == Errno.None && Libc.TryFStatAt(from, _tree.NameOf(target), out var status) == Errno.None)
        {
            if (status.IsDirectory) throw new EntryFault("a hard link to a directory");
            Link(from, _tree.NameOf(target), _disk.Handles.Get(placed.Parent), name);
            if (status.IsSymbolicLink) _tree.MakeLink(placed.Node, NodeKind.SymbolicLink, Libc.ReadlinkAt(from, _tree.NameOf(target)));
            else _tree[placed.Node].Kind = status.IsRegular ? NodeKind.File : NodeKind.Special;
        }
    }

    /// <summary>In place: links that stood in the archive before their files.</summary>
    private void MakePendingLinks()
    {
        for (var node = LayerTree.Root + 1; node < _tree.Count; node++)
        {
            if (_tree[node].Kind != NodeKind.PendingLink) continue;
            var target = _changes.FindTarget(_tree.LinkOf(node));
            if (target < 0 || !_tree[target].Is(NodeState.Written) || _tree[target].Kind is NodeKind.Directory or NodeKind.PendingLink)
                throw LayerRebase.NotThere(new PendingLink(_tree.PathOf(node), _tree.LinkOf(node).ToArray(), _tree[node].Entry));
            Link(_disk.Handles.Get(_tree[target].Parent), _tree.NameOf(target), _disk.Handles.Get(_tree[node].Parent), _tree.NameOf(node));
            _tree[node].Kind = _tree[target].Kind;
            Warnings.Add(LayerRebase.LateTarget, PathText.Escape(_tree.PathOf(node)));
        }
    }

    private Placement Place(int parent, ReadOnlySpan<byte> name, NodeKind kind)
    {
        var placed = _changes.Place(parent, name, kind);
        _tree[placed.Node].State |= NodeState.HardLink;
        return placed;
    }

    private void Link(SafeFileHandle from, ReadOnlySpan<byte> fromName, SafeFileHandle directory, ReadOnlySpan<byte> name)
    {
        var errno = Libc.TryLinkAt(from, fromName, directory, name);
        if (errno == Errno.EEXIST && _target.Whiteouts.InPlace)
        {
            _disk.MakeRoom(directory, name, alsoUsed: from);
            errno = Libc.TryLinkAt(from, fromName, directory, name);
        }

        if (errno == Errno.EMLINK) throw new EntryFault("the file system allows no more hard links to that file (EMLINK)", overLimit: true);
        if (errno != Errno.None) throw Libc.Failure("linkat", directory, name, errno);
    }

    private void KeepAufsLink(TarReader reader, TarEntry entry, ReadOnlySpan<byte> path)
    {
        var (directory, name) = _aufsLinks.Add(path);
        var attributes = EntryAttributes.Of(entry);
        using var file = _inodes.CreateFile(directory, name, attributes);
        WriteContent(reader, entry, file);
        _inodes.CompleteFile(file, attributes, entry);
    }

    private void UseAsRootTime(TimeSpec time)
    {
        if (_tree[LayerTree.Root].Is(NodeState.Adopted)) return;
        ref var root = ref _tree.Directory(LayerTree.Root);
        (root.Access, root.Modify, root.Mode) = (time, time, _target.RootMode);
    }

    private static void RequireDevice(TarEntry entry)
    {
        if (entry.Type == TarEntryType.Fifo) return;
        if (entry.DeviceMajor is < 0 or > 0xfff || entry.DeviceMinor is < 0 or > 0xfffff)
            throw new EntryFault($"the device number {entry.DeviceMajor}:{entry.DeviceMinor} is none that Linux has");
        if (entry.Type == TarEntryType.CharacterDevice && entry.DeviceMajor == 0 && entry.DeviceMinor == 0)
            throw new EntryFault("the character device 0:0 cannot be in a layer: it would hide the file of the layers below");
    }
}
