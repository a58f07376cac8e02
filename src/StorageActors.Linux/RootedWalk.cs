using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

/// <summary>
/// What openat2 does with RESOLVE_IN_ROOT or RESOLVE_BENEATH, for kernels and filters without it: every component is opened
/// without following links, links are resolved here. The way up is a list of descriptors, not "..", so that a directory which
/// is moved meanwhile leads nowhere else.
/// </summary>
internal sealed class RootedWalk : IDisposable
{
    private const int MaxLinks = 40;

    private readonly SafeFileHandle _root;
    private readonly ResolveFlags _resolve;
    private readonly List<SafeFileHandle> _path = [];
    private readonly Stack<byte[]> _pending = new();
    private int _links;

    private RootedWalk(SafeFileHandle root, ResolveFlags resolve) => (_root, _resolve) = (root, resolve);

    private SafeFileHandle Current => _path.Count == 0 ? _root : _path[^1];

    internal static Errno TryOpen(
        SafeFileHandle root, ReadOnlySpan<byte> path, OpenFlags flags, ResolveFlags resolve, uint mode, out SafeFileHandle file)
    {
        using var walk = new RootedWalk(root, resolve);
        file = Libc.NoFile;
        if (path.IsEmpty) return Errno.ENOENT;
        var errno = walk.Push(path);
        return errno == Errno.None ? walk.Run(flags, mode, out file) : errno;
    }

    public void Dispose()
    {
        foreach (var directory in _path) directory.Dispose();
    }

    private Errno Run(OpenFlags flags, uint mode, out SafeFileHandle file)
    {
        file = Libc.NoFile;
        while (_pending.TryPop(out var name))
        {
            if (name.AsSpan().SequenceEqual(".."u8))
            {
                if (_path.Count > 0) Pop();
                else if (_resolve.HasFlag(ResolveFlags.Beneath)) return Errno.EXDEV;
                continue;
            }
            var errno = _pending.Count == 0 ? Last(name, flags, mode, out file) : Enter(name);
            if (errno != Errno.None || !ReferenceEquals(file, Libc.NoFile)) return errno;
        }
        return Libc.TryOpenAt(Current, "."u8, flags, mode, out file);   // the path ended in "..", "." or a link to one
    }

    private Errno Last(byte[] name, OpenFlags flags, uint mode, out SafeFileHandle file)
    {
        file = Libc.NoFile;
        var follows = !flags.HasFlag(OpenFlags.NoFollow) && !flags.HasFlag(OpenFlags.Create | OpenFlags.Exclusive);
        if (follows && Libc.TryReadlinkAt(Current, name, out var target) == Errno.None) return Follow(target);
        // A link that took the name's place just now is not followed either.
        var errno = Libc.TryOpenAt(Current, name, flags | OpenFlags.NoFollow, mode, out file);
        if (errno != Errno.None || !Crosses(file)) return errno;
        file.Dispose();
        file = Libc.NoFile;
        return Errno.EXDEV;
    }

    private Errno Enter(byte[] name)
    {
        var errno = Libc.TryOpenAt(Current, name, OpenFlags.Path | OpenFlags.Directory | OpenFlags.NoFollow, 0, out var directory);
        if (errno is Errno.ENOTDIR or Errno.ELOOP)
        {
            return Libc.TryReadlinkAt(Current, name, out var target) == Errno.None ? Follow(target) : Errno.ENOTDIR;
        }
        if (errno != Errno.None) return errno;
        _path.Add(directory);
        return Crosses(directory) ? Errno.EXDEV : Errno.None;
    }

    private Errno Follow(byte[] target)
    {
        if (_resolve.HasFlag(ResolveFlags.NoSymlinks) || ++_links > MaxLinks) return Errno.ELOOP;
        return Push(target);
    }

    /// <summary>Puts a path before what is still to be walked.</summary>
    private Errno Push(ReadOnlySpan<byte> path)
    {
        if (path.Length >= NativePath.Size) return Errno.ENAMETOOLONG;
        if (path.Contains((byte)0)) return Errno.EINVAL;
        if (path[0] == '/')
        {
            if (_resolve.HasFlag(ResolveFlags.Beneath)) return Errno.EXDEV;
            while (_path.Count > 0) Pop();
        }
        var end = path.Length;
        if (path[^1] == '/' && _pending.Count == 0) _pending.Push("."u8.ToArray());   // "a/" is only a directory
        while (end > 0)
        {
            var start = path[..end].LastIndexOf((byte)'/') + 1;
            var name = path[start..end];
            if (!name.IsEmpty && !(name.SequenceEqual("."u8) && _pending.Count > 0)) _pending.Push(name.ToArray());
            end = start - 1;
        }
        return Errno.None;
    }

    private void Pop()
    {
        _path[^1].Dispose();
        _path.RemoveAt(_path.Count - 1);
    }

    private bool Crosses(SafeFileHandle file) =>
        _resolve.HasFlag(ResolveFlags.NoCrossDevice) && Libc.FStat(file).MountId != Libc.FStat(_root).MountId;
}
