using StorageActors.Linux;

namespace StorageActors.Archive.Apply;

/// <summary>
/// Gives directories their attributes once nothing changes in them any more, children before parents: making something in a directory changes its time, and a
/// directory may be one that even its owner may not write.
/// </summary>
internal sealed class DirectoryPass(ExtractTarget target, LayerTree tree, DirectoryHandles handles, XattrWriter xattrs, InodeWriter inodes)
{
    internal void Run()
    {
        for (var node = tree.Count - 1; node > LayerTree.Root; node--)
        {
            if (tree[node].Kind == NodeKind.Directory && tree[node].Is(NodeState.Written | NodeState.Adopted)) Finish(node);
        }

        FinishRoot();
    }

    private void Finish(int node)
    {
        var parent = handles.Get(tree[node].Parent);
        var name = tree.NameOf(node);
        var state = tree[node].State;
        ref var wanted = ref tree.Directory(node);
        var isExplicit = (state & NodeState.Explicit) != 0;
        if ((state & NodeState.Adopted) != 0 && !isExplicit)
        {
            if ((state & NodeState.Recreated) != 0) Renew(node);
            Libc.UtimensAt(parent, name, wanted.Access, wanted.Modify);
            return;
        }

        var attributes = new EntryAttributes(wanted.UserId, wanted.GroupId, wanted.Mode, wanted.Access, wanted.Modify);
        var chowns = inodes.NeedsChown(attributes);
        if (chowns) target.Owners.Set(parent, name, wanted.UserId, wanted.GroupId);
        if (wanted.CurrentMode != wanted.Mode || inodes.NeedsChmod(attributes, chowns)) Libc.FChmodAt(parent, name, wanted.Mode);
        if (wanted.DefaultAcl is { } acl) xattrs.Set(parent, name, XattrNamespaces.DefaultAcl, acl, PathText.Escape(tree.PathOf(node)));
        if ((state & NodeState.Opaque) != 0 && target.Whiteouts is { InPlace: false, MarksAreNames: false }) target.Whiteouts.MarkOpaque(parent, name);
        Libc.UtimensAt(parent, name, wanted.Access, wanted.Modify);
    }

    /// <summary>In place, a directory that the layer hid and made again without an entry must not look like the one that was there.</summary>
    private void Renew(int node)
    {
        var parent = handles.Get(tree[node].Parent);
        ref var wanted = ref tree.Directory(node);
        xattrs.Clear(parent, tree.NameOf(node), entry: null);
        target.Owners.Set(parent, tree.NameOf(node), 0, 0);
        Libc.FChmodAt(parent, tree.NameOf(node), LayerChanges.ImpliedMode);
        (wanted.Access, wanted.Modify) = (wanted.Cause, wanted.Cause);
    }

    private void FinishRoot()
    {
        var state = tree[LayerTree.Root].State;
        var wanted = tree.Directory(LayerTree.Root);
        if ((state & NodeState.Explicit) != 0)
        {
            target.Owners.Set(target.Root, wanted.UserId, wanted.GroupId);
            Libc.FChmod(target.Root, wanted.Mode);
            if (wanted.DefaultAcl is { } acl) xattrs.Set(target.Root, default, XattrNamespaces.DefaultAcl, acl, "the root");
        }
        else if ((state & NodeState.Adopted) == 0)
        {
            return;   // left to the rebase
        }

        Libc.FUtimens(target.Root, wanted.Access, wanted.Modify);
    }
}
