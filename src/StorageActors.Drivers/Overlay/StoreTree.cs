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
    private readonly int _keep;
    private readonly TimeProvider _time;
    private SafeFileHandle _root;
    private LayerHandles _layers;
    private readonly ShiftedDirectories _shifted = new();

    /// <param name="root">The store's root.</param>
    /// <param name="keep">How many descriptors of layers may be kept open.</param>
    /// <param name="time">The time; null for the machine's.</param>
    internal StoreTree(string root, int keep = 0, TimeProvider? time = null)
    {
        Root = root;
        _prefix = root + "/";
        _root = Libc.Open(root, OpenFlags.Path | OpenFlags.Directory);
        (_keep, _time) = (keep, time ?? TimeProvider.System);
        _layers = new LayerHandles(Open, _keep, _time, NameWatch.TryCreate);
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

    /// <summary>Sees to what has become of the directories that are kept open, before those of a stack are taken.</summary>
    internal void Look() => _layers.Look();

    /// <summary>
    /// As <see cref="Open(string)"/>, of a sealed layer's content, which is used again and again: kept open, as far as that is allowed. What it was at the last <see cref="Look"/>. Not in an additional store, whose file system
    /// somebody may want to unmount while this one is served.
    /// </summary>
    internal LayerHandles.Use Take(string path) => Contains(path) ? _layers.Take(path) : new LayerHandles.Use(Open(path), isKept: false);

    /// <summary>A layer's content is about to go: its descriptor, if it is kept, is closed.</summary>
    internal void Forget(string path) => _layers.Forget(path);

    /// <summary>The same with other owners; see <see cref="ShiftedDirectories"/>.</summary>
    internal SafeFileHandle Open(string path, IdShift? shift)
    {
        var directory = Open(path);
        if (shift is null) return directory;
        using (directory) return _shifted.Shift(directory, path, shift);
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

    public void Dispose()
    {
        _shifted.Dispose();
        _layers.Dispose();
        _root.Dispose();
    }

    private void Use(SafeFileHandle root, bool detached)
    {
        _layers.Dispose();
        _root.Dispose();
        (_root, IsDetached) = (root, detached);
        _layers = new LayerHandles(Open, _keep, _time, NameWatch.TryCreate);
    }
}
