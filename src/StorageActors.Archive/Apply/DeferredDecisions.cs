using StorageActors.Linux;

namespace StorageActors.Archive.Apply;

/// <summary>What an extraction left open because it needs to know the layers below. Settled by <see cref="LayerRebase"/>.</summary>
internal sealed record DeferredDecisions
{
    /// <summary>Nothing is open.</summary>
    internal static readonly DeferredDecisions None = new();

    /// <summary>Names that are hidden if the layers below have them, sorted; nothing of the layer stands there.</summary>
    internal IReadOnlyList<byte[]> Whiteouts { get; init; } = [];

    /// <summary>Directories without an entry of their own: they get the attributes of what is below. Parents first.</summary>
    internal IReadOnlyList<byte[]> ImpliedDirectories { get; init; } = [];

    /// <summary>Directories that hide what is below, where marks are names: those over nothing get none.</summary>
    internal IReadOnlyList<byte[]> OpaqueDirectories { get; init; } = [];

    /// <summary>Hard links to files that only the layers below may have.</summary>
    internal IReadOnlyList<PendingLink> Links { get; init; } = [];

    /// <summary>The archive has no entry for the root.</summary>
    internal bool RootIsImplied { get; init; }

    /// <summary>Time of the root when nothing else says one.</summary>
    internal TimeSpec RootTime { get; init; }

    /// <summary>All of the layers below is hidden. overlayfs ignores the mark on a root, so each name gets a whiteout.</summary>
    internal bool RootIsOpaque { get; init; }

    /// <summary>What a settling has changed so far: one that is repeated after a failure would take its own traces for what the layer had.</summary>
    internal RebaseTraces Traces { get; } = new();

    /// <summary>Whether nothing is left to settle.</summary>
    internal bool IsEmpty => Whiteouts.Count == 0 && ImpliedDirectories.Count == 0 && OpaqueDirectories.Count == 0 && Links.Count == 0 && !RootIsImplied && !RootIsOpaque;

    /// <summary>What a tree that is complete leaves open.</summary>
    /// <param name="tree">The tree.</param>
    /// <param name="changes">What the archive made of it.</param>
    /// <param name="format">How marks are written.</param>
    internal static DeferredDecisions Of(LayerTree tree, LayerChanges changes, IWhiteoutFormat format)
    {
        List<byte[]> whiteouts = [], implied = [], opaque = [];
        List<PendingLink> links = [];
        for (var node = LayerTree.Root + 1; node < tree.Count; node++)
        {
            var at = tree[node];
            if (at.Kind == NodeKind.PendingLink) links.Add(new PendingLink(tree.PathOf(node), tree.LinkOf(node).ToArray(), at.Entry));
            if (format.MarksAreNames && at.Kind == NodeKind.Directory && at.Is(NodeState.Written) && at.Is(NodeState.Opaque)) opaque.Add(tree.PathOf(node));
            if (at.Is(NodeState.Written) && (at.Kind != NodeKind.Directory || at.Is(NodeState.Explicit | NodeState.Recreated))) continue;
            var isWhiteout = at.Is(NodeState.Whiteout);
            if ((!isWhiteout && !at.Is(NodeState.Written)) || changes.IsBelowHidden(node)) continue;
            (isWhiteout ? whiteouts : implied).Add(tree.PathOf(node));
        }

        whiteouts.Sort(ByteStringComparer.Order);
        var root = tree[LayerTree.Root];
        return new DeferredDecisions
        {
            Whiteouts = whiteouts, ImpliedDirectories = implied, OpaqueDirectories = opaque, Links = links,
            RootIsImplied = !root.Is(NodeState.Explicit), RootIsOpaque = root.Is(NodeState.Opaque),
            RootTime = tree.Directory(LayerTree.Root).Modify,
        };
    }
}

/// <summary>A hard link that could not be made.</summary>
/// <param name="Path">Its path.</param>
/// <param name="Target">The path of what it is to be a name of.</param>
/// <param name="Entry">Number of the entry, from 0.</param>
internal sealed record PendingLink(byte[] Path, byte[] Target, long Entry);
