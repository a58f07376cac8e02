using System.Runtime.InteropServices;
using StorageActors.Archive.Tar;
using StorageActors.Linux;

namespace StorageActors.Archive.Apply;

/// <summary>
/// The rules of layers: what each entry of an archive means, given the entries before it. Decides on a <see cref="LayerTree"/> and tells
/// <see cref="ITreeEffects"/> what has to happen on disk before the entry itself is written.
/// </summary>
/// <remarks>
/// Whiteouts hide names of the layers below only, and wherever they stand in the archive. So one that meets something of this layer removes nothing: it makes a
/// directory opaque. The other way round, a directory made where a whiteout was is opaque. (Other stores show the old children again, or remove new ones.)
/// </remarks>
internal sealed class LayerChanges(LayerTree tree, ITreeEffects effects, bool inPlace)
{
    internal const uint ImpliedMode = 0x1ed;   // 0755
    private const int LinkBudget = 40;

    private readonly ByteBuffer _lastParent = new();
    private readonly ByteBuffer _route = new();
    private readonly ByteBuffer _spare = new();
    private int _lastNode = -1;
    private bool _lastThroughLink;

    /// <summary>Number of the current entry, from 0.</summary>
    internal long Entry { get; set; }

    /// <summary>What directories made on the way to the current entry get as their time: no clock, so that the same archive gives the same tree.</summary>
    internal TimeSpec Time { get; set; }

    /// <summary>Whether the current entry's parent was reached through a symbolic link of the layer.</summary>
    internal bool ThroughLink { get; private set; }

    /// <summary>The directory that a path means, made if need be. Symbolic links of this layer are followed inside it; those below are not known here.</summary>
    internal int MakeParent(ReadOnlySpan<byte> path)
    {
        if (_lastNode >= 0 && path.SequenceEqual(_lastParent.Span))
        {
            ThroughLink = _lastThroughLink;
            return _lastNode;
        }

        var node = Walk(path, make: true, out var throughLink);
        if (throughLink && tree.PathOf(node, _spare).Length > LayerPath.MaxLength - LayerPath.MaxComponent)
            throw new EntryFault("its path becomes too long through symbolic links");
        _lastParent.Set(path);
        (_lastNode, _lastThroughLink, ThroughLink) = (node, throughLink, throughLink);
        return node;
    }

    /// <summary>An entry of its own at a path. Of a directory that stays one, only the attributes are replaced.</summary>
    internal Placement Place(int parent, ReadOnlySpan<byte> name, NodeKind kind)
    {
        var node = tree.FindOrAdd(parent, name);
        var hidden = tree[node].Is(NodeState.Whiteout);
        var merges = false;
        if (tree[node].Is(NodeState.Written))
        {
            merges = kind == NodeKind.Directory && tree[node].Kind == NodeKind.Directory;
            if (!merges)
            {
                effects.Remove(node);
                tree.Clear(node);
                _lastNode = -1;
                hidden = true;   // what was here hid the name below; a directory in its place must not show it again
            }
        }
        else if (kind != NodeKind.Directory)
        {
            tree.Clear(node);   // whiteouts below are moot
        }

        ref var made = ref tree[node];
        made.State = (made.State & ~(NodeState.Whiteout | NodeState.HasPayload | NodeState.HardLink)) | NodeState.Written | NodeState.Explicit;
        if (hidden && kind == NodeKind.Directory) made.State |= NodeState.Opaque | NodeState.Recreated;
        made.Entry = Entry;
        if (!merges)
        {
            if (kind == NodeKind.Directory) tree.MakeDirectory(node);
            else tree[node].Kind = kind;
        }

        return new Placement(parent, node, merges);
    }

    /// <summary>The node that a hard link's target path means now, or -1 when nothing can be there. It is not necessarily written: then only the layers below may have it.</summary>
    internal int FindTarget(ReadOnlySpan<byte> path)
    {
        var parent = Walk(LayerPath.Split(path, out var name), make: false, out _);
        if (parent < 0) return -1;
        var node = tree.FindOrAdd(parent, name);
        return tree[node].Is(NodeState.Written) || !IsHidden(node) ? node : -1;
    }

    /// <summary>Hides a name of the layers below.</summary>
    internal void Whiteout(ReadOnlySpan<byte> parentPath, ReadOnlySpan<byte> name)
    {
        var parent = Walk(parentPath, make: false, out _);
        if (parent < 0) return;
        var node = tree.FindOrAdd(parent, name);
        if (!tree[node].Is(NodeState.Written))
        {
            if (inPlace) effects.RemoveLower(node);
            tree.Clear(node);   // what was hidden below it goes with it
            tree[node].State = NodeState.Whiteout;
        }
        else if (tree[node].Kind == NodeKind.Directory)
        {
            tree[node].State |= NodeState.Opaque | NodeState.Recreated;
            if (inPlace) effects.Prune(node);
        }
    }

    /// <summary>Hides all that the layers below have in a directory.</summary>
    internal void Opaque(ReadOnlySpan<byte> path)
    {
        var node = MakeParent(path);
        tree[node].State |= NodeState.Opaque;
        if (inPlace) effects.Prune(node);
    }

    /// <summary>Whether the layers below cannot show anything at a node that is not written, because of this layer.</summary>
    internal bool IsHidden(int node) => tree[node].Is(NodeState.Whiteout) || IsBelowHidden(node);

    /// <summary>As <see cref="IsHidden"/>, because of something above the node.</summary>
    internal bool IsBelowHidden(int node)
    {
        while (node != LayerTree.Root)
        {
            node = tree[node].Parent;
            ref var above = ref tree[node];
            if (above.Is(NodeState.Whiteout | NodeState.Opaque)) return true;
            if (above.Is(NodeState.Written) && above.Kind != NodeKind.Directory) return true;
        }

        return false;
    }

    /// <summary>Walks a path. Not making, it may end at a node that is not written, or at -1 when nothing below can lie there.</summary>
    private int Walk(ReadOnlySpan<byte> path, bool make, out bool throughLink)
    {
        var node = LayerTree.Root;
        var links = 0;
        throughLink = false;
        while (true)
        {
            var part = LayerPath.TakeFirst(ref path);
            if (part.IsEmpty) return node;
            if (part.SequenceEqual("."u8)) continue;
            if (part.SequenceEqual(".."u8))   // only in targets of links; the root is its own parent
            {
                node = Math.Max(tree[node].Parent, LayerTree.Root);
                continue;
            }

            var child = tree.FindOrAdd(node, Checked(part));
            ref var at = ref tree[child];
            if (!at.Is(NodeState.Written))
            {
                if (make) MakeImplied(child);
                else if (at.Is(NodeState.Whiteout)) return -1;
                node = child;
            }
            else if (at.Kind == NodeKind.Directory)
            {
                node = child;
            }
            else if (at.Kind == NodeKind.SymbolicLink)
            {
                throughLink = true;
                if (++links > LinkBudget) throw new EntryFault("the symbolic links on its way form a loop, or are too many");
                path = Follow(tree.LinkOf(child), path);
                if (path.StartsWith("/"u8)) node = LayerTree.Root;
            }
            else if (make)
            {
                throw new EntryFault($"it lies below \"{PathText.Escape(tree.PathOf(child))}\", which this layer makes no directory");
            }
            else
            {
                return -1;
            }
        }
    }

    /// <summary>A link's target and what is left of the path behind it.</summary>
    private ReadOnlySpan<byte> Follow(ReadOnlySpan<byte> target, ReadOnlySpan<byte> rest)
    {
        if (target.Length + rest.Length > LayerPath.MaxLength) throw new EntryFault("its path becomes too long through symbolic links");
        _spare.Set(target);
        _spare.Append((byte)'/');
        _spare.Append(rest);
        _route.Set(_spare.Span);   // rest may be a part of the route itself
        return _route.Span;
    }

    private static ReadOnlySpan<byte> Checked(ReadOnlySpan<byte> part)
    {
        if (part.Length > LayerPath.MaxComponent) throw new EntryFault("a part of its path is too long for a file's name (ENAMETOOLONG)");
        if (EntryRoles.IsReserved(part)) throw new EntryFault("its path leads through a name that is reserved for whiteouts");
        return part;
    }

    private void MakeImplied(int node)
    {
        var hidden = tree[node].Is(NodeState.Whiteout);
        if (!tree[node].Is(NodeState.Adopted))
        {
            ref var attributes = ref tree.MakeDirectory(node);
            (attributes.Mode, attributes.CurrentMode, attributes.Access, attributes.Modify) = (ImpliedMode, ImpliedMode, Time, Time);
        }

        ref var made = ref tree[node];
        made.State = (made.State & ~NodeState.Whiteout) | NodeState.Written | (hidden ? NodeState.Opaque | NodeState.Recreated : 0);
        made.Entry = Entry;
        effects.MakeImplied(node);
        tree.Directory(node).Cause = Time;
    }
}

/// <summary>Where an entry goes.</summary>
/// <param name="Parent">Its directory.</param>
/// <param name="Node">Itself.</param>
/// <param name="Merges">It is a directory of this layer that stays, with new attributes.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct Placement(int Parent, int Node, bool Merges);
