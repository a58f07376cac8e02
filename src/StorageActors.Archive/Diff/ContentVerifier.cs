using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Apply;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Archive.Diff;

/// <summary>
/// Compares a sealed layer's content with the record of its archive: every path that must be there, and none besides; type, owner, mode, size, time, target of
/// links and attributes of each; what it hides of the layers below; and, when asked, the content of files. What a layer rightly does not keep is no difference: entries
/// that later ones replace, sockets, labels of the host.
/// </summary>
internal sealed class ContentVerifier
{
    private const int MaximumLines = 1000;
    private const string Hidden = "it hides what other layers have there, and the archive does not";
    private const string NotHidden = "it does not hide what other layers have there";

    private readonly SafeFileHandle _root;
    private readonly IWhiteoutFormat _format;
    private readonly ILowerView? _below;
    private readonly EntryVerifier _entries;
    private readonly CancellationToken _stop;
    private readonly ExpectedTree _expected;
    private readonly LayerTree _tree;
    private readonly List<string> _lines = [];
    private readonly Stack<int> _directories = [];

    private ContentVerifier(SafeFileHandle root, ExpectedTree expected, IWhiteoutFormat format, ILowerView? below, EntryVerifier entries, CancellationToken stop)
    {
        (_root, _expected, _tree, _format, _below, _stop) = (root, expected, expected.Tree, format, below, stop);
        _entries = entries;
    }

    /// <summary>One line for each difference, <c>/path: what</c>, sorted; the first 1000 that were found.</summary>
    /// <param name="root">The layer's content.</param>
    /// <param name="record">Its tar-split record.</param>
    /// <param name="format">How it marks what it hides.</param>
    /// <param name="full">Whether the content of files is read.</param>
    /// <param name="stop">Stops.</param>
    /// <param name="below">What the layers below show; without it, what it hides of them is not looked at.</param>
    /// <param name="ids">Which ids of the host those of the archive are there; none: the same.</param>
    /// <param name="checksOwners">Whether owners were kept where the kernel refused them.</param>
    internal static IReadOnlyList<string> Verify(
        SafeFileHandle root, Stream record, IWhiteoutFormat format, bool full, CancellationToken stop, ILowerView? below = null, bool checksOwners = true, IdMap? ids = null)
    {
        var entries = new EntryVerifier(format, ids ?? IdMap.Host, full, checksOwners, stop);
        var verifier = new ContentVerifier(root, ExpectedTree.Read(record, format, stop), format, below, entries, stop);
        verifier.Run();
        verifier._lines.Sort(StringComparer.Ordinal);
        return verifier._lines;
    }

    private bool IsEnough => _lines.Count >= MaximumLines;

    private void Run()
    {
        if (_expected.Find(LayerTree.Root) is { } root && _entries.Check(_root, default, Libc.FStat(_root), root) is { } difference) Report(LayerTree.Root, difference);
        _directories.Push(LayerTree.Root);
        while (!IsEnough && _directories.TryPop(out var node)) Visit(node);
        if (_below is not null && !IsEnough) CheckHidden(_below);
    }

    /// <summary>One directory is open at a time, however deep the layer is.</summary>
    private void Visit(int node)
    {
        using var directory = Libc.OpenAt2(
            _root, node == LayerTree.Root ? "."u8 : _tree.PathOf(node), OpenFlags.Directory | OpenFlags.NoFollow, ResolveFlags.Beneath | ResolveFlags.NoSymlinks);
        for (var child = _tree[node].FirstChild; child != 0 && !IsEnough; child = _tree[child].NextSibling)
        {
            _stop.ThrowIfCancellationRequested();
            if (_tree[child].Is(NodeState.Written)) VisitWritten(directory, child);
            else if (_format.InPlace && _tree[child].Is(NodeState.Whiteout)) CheckGone(directory, child);
        }

        if (_expected.IsWhole && !IsEnough) LookForMore(directory, node);
    }

    private void VisitWritten(SafeFileHandle directory, int node)
    {
        var name = _tree.NameOf(node);
        var errno = Libc.TryFStatAt(directory, name, out var status);
        if (errno is not (Errno.None or Errno.ENOENT)) throw Libc.Failure("statx", directory, name, errno);
        if (errno == Errno.ENOENT)
        {
            Report(node, _expected.Find(node)?.Type is FileType.CharacterDevice or FileType.BlockDevice ? KnownLosses.Device : "it is missing");
            return;
        }

        var isDirectory = _tree[node].Kind == NodeKind.Directory;
        var difference = _expected.Find(node) is { } entry ? _entries.Check(directory, name, status, entry)
            : status.IsDirectory == isDirectory && !_format.IsWhiteout(directory, name, status) ? null
            : isDirectory ? "it is no directory" : "it is no file";
        if (difference is not null) Report(node, difference);
        if (!isDirectory || !status.IsDirectory) return;
        if (!_format.InPlace) CheckOpaque(directory, name, node);
        _directories.Push(node);
    }

    private void CheckOpaque(SafeFileHandle directory, ReadOnlySpan<byte> name, int node)
    {
        // A root that hides all is one whose every directory does.
        var must = _tree[node].Is(NodeState.Opaque);
        var may = must || (_tree[node].Parent == LayerTree.Root && _tree[LayerTree.Root].Is(NodeState.Opaque));
        var hides = _format.IsOpaque(directory, name);
        if (hides ? may : !must) return;
        // A mark above nothing may be there or not.
        if (_below?.Find(_tree.PathOf(node)) is { Status.IsDirectory: true }) Report(node, hides ? Hidden : NotHidden);
    }

    /// <summary>What lies there and is not the archive's.</summary>
    private void LookForMore(SafeFileHandle directory, int node)
    {
        // In place, what is of the layers below lies there, too; but for a directory that shows nothing of them.
        if (_format.InPlace && !_tree[node].Is(NodeState.Opaque)) return;
        using var reader = new DirectoryReader(directory);
        while (reader.TryRead(out var entry) && !IsEnough)
        {
            var name = entry.Name;
            var child = _tree.Find(node, name);
            if (child >= 0 && _tree[child].Is(NodeState.Written)) continue;
            if (Libc.TryFStatAt(directory, name, out var status) != Errno.None) continue;
            // None of these can be in an archive; a writable layer may have had them when it was sealed.
            if (status.Type is FileType.Socket or FileType.Unknown || _format.IsHousekeeping(name)) continue;
            var isWhiteout = _format.IsWhiteout(directory, name, status);
            if (!isWhiteout && EntryRoles.IsReserved(name)) continue;
            if (isWhiteout && _format.MarksAreNames)
            {
                name = _format.HiddenBy(name);
                child = _tree.Find(node, name);
            }

            if (isWhiteout ? MayHide(node, child, name) : status.IsDirectory && child >= 0 && HidesWithin(child))
            {
                if (!isWhiteout) _directories.Push(child);
                continue;
            }

            Report(node, name, isWhiteout ? Hidden : "it is not of the archive");
        }
    }

    /// <summary>Whether a whiteout is the archive's, or hides nothing.</summary>
    private bool MayHide(int parent, int node, ReadOnlySpan<byte> name) =>
        (node >= 0 && _tree[node].Is(NodeState.Whiteout)) || (parent == LayerTree.Root && _tree[parent].Is(NodeState.Opaque))
        || _below?.Find(LayerPath.Join(_tree.PathOf(parent), name)) is null;

    /// <summary>Whether a directory is there only for what is hidden in it.</summary>
    private bool HidesWithin(int node)
    {
        if (_tree[node].Is(NodeState.Whiteout)) return false;
        for (var child = _tree[node].FirstChild; child != 0; child = _tree[child].NextSibling)
        {
            if (_tree[child].Is(NodeState.Whiteout) || HidesWithin(child)) return true;
        }

        return false;
    }

    private void CheckGone(SafeFileHandle directory, int node)
    {
        if (Libc.TryFStatAt(directory, _tree.NameOf(node), out _) == Errno.None) Report(node, "it is there, and the archive takes it away");
    }

    /// <summary>What of the layers below must be hidden.</summary>
    private void CheckHidden(ILowerView below)
    {
        if (_format.InPlace) return;
        for (var node = LayerTree.Root + 1; node < _tree.Count && !IsEnough; node++)
        {
            if (!_tree[node].Is(NodeState.Whiteout) || _expected.IsBelowHidden(node)) continue;
            var path = _tree.PathOf(node);
            if (below.Find(path) is not null && !IsWhiteout(path)) Report(node, NotHidden);
        }

        if (!_tree[LayerTree.Root].Is(NodeState.Opaque)) return;
        foreach (var name in below.List(default))
        {
            var child = _tree.Find(LayerTree.Root, name);
            if ((child < 0 || !_tree[child].Is(NodeState.Written)) && !IsWhiteout(name)) Report(LayerTree.Root, name, NotHidden);
        }
    }

    private bool IsWhiteout(byte[] path)
    {
        if (_format.MarksAreNames) return _format.IsHiddenBeside(_root, path);
        var parent = LayerPath.Split(path, out var name);
        var errno = Libc.TryOpenAt2(
            _root, parent.IsEmpty ? "."u8 : parent, OpenFlags.Directory | OpenFlags.NoFollow, ResolveFlags.Beneath | ResolveFlags.NoSymlinks, 0, out var directory);
        using (directory)
        {
            return errno == Errno.None && Libc.TryFStatAt(directory, name, out var status) == Errno.None && _format.IsWhiteout(directory, name, status);
        }
    }

    private void Report(int node, string difference) => _lines.Add($"/{PathText.Escape(_tree.PathOf(node))}: {difference}");

    private void Report(int parent, ReadOnlySpan<byte> name, string difference) =>
        _lines.Add($"/{PathText.Escape(LayerPath.Join(_tree.PathOf(parent), name))}: {difference}");
}
