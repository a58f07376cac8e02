using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.TarSplit;
using StorageActors.Linux;

namespace StorageActors.Archive.Apply;

/// <summary>The directories of the tree under extraction, and what has to go from it before an entry can be written.</summary>
internal sealed class TreeOnDisk(ExtractTarget target, LayerTree tree, TarSplitWriter record) : ITreeEffects, IDisposable
{
    private const uint NewDirectoryMode = 0x1ed;   // 0755, until all is in it

    /// <summary>Called before files are read that were just written: returns when they have their content.</summary>
    internal required Action Settle { get; init; }

    /// <summary>The open directories.</summary>
    internal DirectoryHandles Handles { get; } = new(tree, target.Root);

    /// <inheritdoc/>
    public void MakeImplied(int node)
    {
        if (tree[node].Is(NodeState.Adopted)) return;
        var parent = Handles.Get(tree[node].Parent);
        if (target.Whiteouts.InPlace && TryAdopt(parent, node)) return;
        MakeDirectory(parent, tree.NameOf(node), NewDirectoryMode);
    }

    /// <summary>Makes a directory; in place, whatever else was there goes.</summary>
    internal void MakeDirectory(SafeFileHandle parent, ReadOnlySpan<byte> name, uint mode)
    {
        var errno = Libc.TryMkdirAt(parent, name, mode);
        if (errno == Errno.EEXIST && target.Whiteouts.InPlace)
        {
            MakeRoom(parent, name);
            errno = Libc.TryMkdirAt(parent, name, mode);
        }

        if (errno != Errno.None) throw Libc.Failure("mkdirat", parent, name, errno);
        if (target.Whiteouts.InPlace) XattrWriter.DropInherited(parent, name);
    }

    /// <summary>In place: takes a directory of the layers below for this layer's, and remembers its times; false when there is none.</summary>
    internal bool TryAdopt(SafeFileHandle parent, int node)
    {
        if (Libc.TryFStatAt(parent, tree.NameOf(node), out var status) != Errno.None || !status.IsDirectory) return false;
        Adopt(node, status);
        return true;
    }

    /// <summary>In place: remembers the times of a directory before something in it changes.</summary>
    internal void Adopt(int node, in FileStatus status)
    {
        ref var attributes = ref tree.MakeDirectory(node);
        (attributes.UserId, attributes.GroupId) = (status.UserId, status.GroupId);
        (attributes.Mode, attributes.CurrentMode) = (status.Permissions, status.Permissions);
        (attributes.Access, attributes.Modify) = (status.AccessTime, status.ModifyTime);
        tree[node].State |= NodeState.Adopted;
    }

    /// <inheritdoc/>
    public void Remove(int node)
    {
        KeepPayloads(node);
        if (tree[node].Kind is NodeKind.PendingLink) return;   // nothing on disk yet
        DirectoryTree.Remove(Handles.Get(tree[node].Parent), tree.NameOf(node));
        if (tree[node].Kind == NodeKind.Directory) Handles.Forget();
    }

    /// <inheritdoc/>
    public void RemoveLower(int node)
    {
        var parent = tree[node].Parent;
        var errno = Handles.TryGet(parent, out var directory);
        if (errno is Errno.ENOENT or Errno.ENOTDIR or Errno.ELOOP) return;   // nothing below can lie there
        if (errno != Errno.None) throw Libc.Failure("openat", target.Root, tree.PathOf(parent), errno);
        if (!tree[parent].Is(NodeState.Adopted | NodeState.Written)) Adopt(parent, Libc.FStat(directory));
        if (DirectoryTree.Remove(directory, tree.NameOf(node))) Handles.Forget();
    }

    /// <inheritdoc/>
    public void Prune(int node)
    {
        var directory = Handles.Get(node);
        var names = new List<byte[]>();
        using (var opened = Libc.OpenAt(directory, "."u8, OpenFlags.Directory))
        {
            using var reader = new DirectoryReader(opened);
            while (reader.TryRead(out var entry)) names.Add(entry.Name.ToArray());
            foreach (var name in names)
            {
                var child = tree.Find(node, name);
                if (child >= 0 && tree[child].Is(NodeState.Written)) continue;
                DirectoryTree.Remove(opened, name);
                if (child >= 0) tree.Clear(child);
            }
        }

        Handles.Forget();
        for (var child = tree[node].FirstChild; child != 0; child = tree[child].NextSibling)
        {
            if (!tree[child].Is(NodeState.Written) || tree[child].Kind != NodeKind.Directory) continue;
            tree[child].State |= NodeState.Recreated;   // nothing of the one below is left, its attributes neither
            Prune(child);
        }
    }

    /// <summary>In place: removes what the layers below have where an entry is to be written.</summary>
    internal void MakeRoom(SafeFileHandle directory, ReadOnlySpan<byte> name, SafeFileHandle? alsoUsed = null)
    {
        if (DirectoryTree.Remove(directory, name)) Handles.Forget(directory, alsoUsed);
    }

    public void Dispose() => Handles.Dispose();

    /// <summary>The record reads payloads from the files of the finished layer; those that will not be in it must be kept now.</summary>
    private void KeepPayloads(int top)
    {
        Settle();
        for (var node = top; ;)
        {
            if (tree[node].Is(NodeState.HasPayload))
            {
                using var file = Libc.OpenAt(
                    Handles.Get(tree[node].Parent), tree.NameOf(node), OpenFlags.NoFollow | OpenFlags.NonBlocking);
                record.KeepReplaced(tree[node].Entry, file);
            }

            if (tree[node].FirstChild != 0)
            {
                node = tree[node].FirstChild;
                continue;
            }

            while (node != top && tree[node].NextSibling == 0) node = tree[node].Parent;
            if (node == top) return;
            node = tree[node].NextSibling;
        }
    }
}
