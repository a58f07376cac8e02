using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;

namespace StorageActors.Archive.Apply;

/// <summary>
/// Open directories of the tree under extraction. Each is opened from its parent by a single name and without following a link, so no name in an
/// archive can lead out of the tree, and no path is too long.
/// </summary>
/// <remarks>Two generations of handles bound their number: one that was just handed out outlives at least <see cref="Generation"/> more.</remarks>
internal sealed class DirectoryHandles(LayerTree tree, SafeFileHandle root) : IDisposable
{
    private const int Generation = 128;
    private const OpenFlags Flags = OpenFlags.Path | OpenFlags.Directory | OpenFlags.NoFollow;

    private readonly SafeFileHandle _root = root;
    private Dictionary<int, SafeFileHandle> _young = [];
    private Dictionary<int, SafeFileHandle> _old = [];
    private int _lastNode = LayerTree.Root;
    private SafeFileHandle _last = root;

    /// <summary>The directory of a node; belongs to this object.</summary>
    internal SafeFileHandle Get(int node)
    {
        var errno = TryGet(node, out var handle);
        return errno == Errno.None ? handle
            : throw Libc.Failure("openat", _root, tree.PathOf(node), errno, Flags.ToText());
    }

    /// <summary>ENOENT, ENOTDIR and ELOOP tell that there is no such directory.</summary>
    internal Errno TryGet(int node, out SafeFileHandle handle)
    {
        handle = _last;
        if (node == _lastNode) return Errno.None;
        if (node == LayerTree.Root)
        {
            handle = _root;
        }
        else if (!_young.TryGetValue(node, out handle!))
        {
            if (!_old.Remove(node, out handle!))
            {
                var errno = TryGet(tree[node].Parent, out var parent);
                if (errno == Errno.None) errno = Libc.TryOpenAt(parent, tree.NameOf(node), Flags, 0, out handle!);
                else handle = Libc.NoFile;
                if (errno != Errno.None) return errno;
            }

            if (_young.Count >= Generation) Age();
            _young.Add(node, handle);
        }

        (_lastNode, _last) = (node, handle);
        return Errno.None;
    }

    /// <summary>To be called when a directory was removed. Handles that are in use may be excepted.</summary>
    internal void Forget(params ReadOnlySpan<SafeFileHandle?> except)
    {
        (_lastNode, _last) = (LayerTree.Root, _root);
        Close(_young, except);
        Close(_old, except);
    }

    public void Dispose() => Forget();

    private void Age()
    {
        Close(_old, []);
        (_old, _young) = (_young, _old);
    }

    private static void Close(Dictionary<int, SafeFileHandle> handles, ReadOnlySpan<SafeFileHandle?> except)
    {
        foreach (var (node, handle) in handles)
        {
            if (except.Contains(handle)) continue;
            handle.Dispose();
            handles.Remove(node);   // allowed while enumerating
        }
    }
}
