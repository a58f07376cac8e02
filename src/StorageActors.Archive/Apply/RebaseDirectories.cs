using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;

namespace StorageActors.Archive.Apply;

/// <summary>Directories of a layer that a rebase adds names to. Those that were there keep their times; those that it makes look like what is below.</summary>
internal sealed class RebaseDirectories(ExtractTarget target, ILowerView below, RebaseTraces traces) : IDisposable
{
    private const OpenFlags Flags = OpenFlags.Directory | OpenFlags.NoFollow | OpenFlags.Path;

    private byte[] _lastPath = [];
    private SafeFileHandle? _last;

    /// <summary>The directory of that path, made if need be (it is known to be one below); null when the layer has something else there. Belongs to this object, valid until the next call.</summary>
    internal SafeFileHandle? Open(ReadOnlySpan<byte> path)
    {
        if (_last is not null && path.SequenceEqual(_lastPath)) return _last;
        var current = Libc.OpenAt(target.Root, "."u8, Flags);
        var walked = 0;
        for (var rest = path; !rest.IsEmpty;)
        {
            var name = LayerPath.TakeFirst(ref rest);
            var here = path[..(path.Length - rest.Length)];
            var errno = Libc.TryOpenAt(current, name, Flags, 0, out var next);
            if (errno == Errno.ENOENT)
            {
                Touch(path[..walked], current);
                traces.Remember(here, null);
                Libc.MkdirAt(current, name, 0x1c0);
                next = Libc.OpenAt(current, name, Flags);
            }
            else if (errno is Errno.ENOTDIR or Errno.ELOOP)
            {
                current.Dispose();
                return null;
            }
            else if (errno != Errno.None)
            {
                throw Libc.Failure("openat", current, name, errno);
            }

            current.Dispose();
            current = next;
            walked = here.Length;
        }

        Touch(path, current);
        _last?.Dispose();
        (_lastPath, _last) = (path.ToArray(), current);
        return current;
    }

    /// <summary>Gives a directory of the layer the attributes of the one below, if there is one.</summary>
    internal void Inherit(ReadOnlySpan<byte> path)
    {
        if (below.Find(path) is not { Status.IsDirectory: true } entry) return;
        if (Open(path) is not { } directory) return;
        LowerAttributes.Copy(entry, directory, default, target);
        traces.Replace(path.ToArray(), Libc.FStat(directory));   // its times are these now
    }

    /// <summary>Sets the times and attributes that all this has changed.</summary>
    internal void Complete()
    {
        for (var i = traces.Order.Count - 1; i >= 0; i--)
        {
            var path = traces.Order[i];
            var directory = Open(path)!;
            if (traces.Before(path) is { } status) Libc.FUtimens(directory, status.AccessTime, status.ModifyTime);
            else if (below.Find(path) is { } entry) LowerAttributes.Copy(entry, directory, default, target);
        }
    }

    public void Dispose() => _last?.Dispose();

    private void Touch(ReadOnlySpan<byte> path, SafeFileHandle directory)
    {
        if (!traces.Contains(path)) traces.Remember(path, Libc.FStat(directory));
    }
}
