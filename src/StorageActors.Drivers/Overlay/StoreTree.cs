using System.Text;
using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;

namespace StorageActors.Drivers.Overlay;

/// <summary>
/// Opens directories of the store for mounts. Where the kernel allows, it does so through a clone of the store's mount that is attached nowhere: for
/// each layer of a new overlay the kernel walks all mounts that lie on the layer's own mount, which makes a mount thirty times as slow when
/// five thousand containers are mounted below the store's root; on the clone there never is one.
/// </summary>
internal sealed class StoreTree : IDisposable
{
    private readonly string _prefix;
    private SafeFileHandle _root;

    internal StoreTree(string root)
    {
        Root = root;
        _prefix = root + "/";
        _root = Libc.Open(root, OpenFlags.Path | OpenFlags.Directory);
    }

    /// <summary>Absolute path of the store's root.</summary>
    internal string Root { get; }

    /// <summary>Whether the clone is in use.</summary>
    internal bool IsDetached { get; private set; }

    /// <summary>Whether a path lies below the root; what does not belongs to an additional store, and is only read.</summary>
    internal bool Contains(string path) => path.StartsWith(_prefix, StringComparison.Ordinal);

    /// <summary>A directory below the root, or in an additional store; for use as a layer.</summary>
    internal SafeFileHandle Open(string path)
    {
        const OpenFlags flags = OpenFlags.Path | OpenFlags.Directory | OpenFlags.NoFollow;
        var errno = Contains(path) ? Libc.TryOpenAt(_root, Relative(path), flags, 0, out var directory) : Libc.TryOpen(path, flags, 0, out directory);
        return errno == Errno.None ? directory : throw new LinuxException("open", path, errno);
    }

    /// <summary>Path relative to the root, without a slash in front.</summary>
    internal byte[] Relative(string path) =>
        path.StartsWith(_prefix, StringComparison.Ordinal) ? Encoding.UTF8.GetBytes(path, _prefix.Length, path.Length - _prefix.Length)
            : throw new ArgumentException($"\"{path}\" is not inside the store at \"{Root}\".", nameof(path));

    /// <summary>Path relative to a directory right below the root; one in an additional store as it is.</summary>
    internal string RelativeTo(string home, string path) =>
        path.StartsWith(home + "/", StringComparison.Ordinal) ? path[(home.Length + 1)..] : Contains(path) ? ".." + path[Root.Length..] : path;

    /// <summary>Goes over to the clone; an answer other than success leaves everything as it was.</summary>
    internal Errno TryDetach()
    {
        var errno = Libc.TryOpenTree(_root, [], OpenTreeFlags.Clone, out var clone);
        if (errno == Errno.None) Use(clone, detached: true);
        return errno;
    }

    /// <summary>Back from the clone, where the kernel does not take layers from one.</summary>
    internal void Attach() => Use(Libc.Open(Root, OpenFlags.Path | OpenFlags.Directory), detached: false);

    public void Dispose() => _root.Dispose();

    private void Use(SafeFileHandle root, bool detached)
    {
        _root.Dispose();
        (_root, IsDetached) = (root, detached);
    }
}
