using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;

namespace StorageActors.Drivers.Copying;

/// <summary>Which files with several names were copied, and where to. Forgets a file with its last name, so that a tree of nothing but links needs little memory.</summary>
/// <param name="root">The root of the copy.</param>
internal sealed class LinkMap(SafeFileHandle root)
{
    private const int MaximumPath = 4095;

    private readonly Dictionary<(DeviceNumber FileSystem, ulong Inode), Copied> _copies = [];

    /// <summary>Files with names still to come.</summary>
    internal int Count => _copies.Count;

    /// <summary>
    /// Makes a further name of the copy that there is; false when there is none yet, or when the file system takes no more names for it: the caller
    /// makes one, which serves from now on.
    /// </summary>
    /// <param name="status">The source's.</param>
    /// <param name="directory">Where the name goes.</param>
    /// <param name="name">The name.</param>
    /// <param name="path">Its path from the root of the copy.</param>
    internal bool TryLink(in FileStatus status, SafeFileHandle directory, ReadOnlySpan<byte> name, ReadOnlySpan<byte> path)
    {
        var key = (status.FileSystem, status.Inode);
        ref var copied = ref CollectionsMarshal.GetValueRefOrAddDefault(_copies, key, out var exists);
        if (exists)
        {
            var errno = Link(copied.Path, directory, name);
            if (errno is not (Errno.None or Errno.EMLINK)) throw Libc.Failure("linkat", directory, name, errno);
            if (--copied.NamesToCome == 0) _copies.Remove(key);
            else if (errno == Errno.EMLINK) copied.Path = path.ToArray();
            return errno == Errno.None;
        }

        copied = new Copied { Path = path.ToArray(), NamesToCome = status.Links - 1 };
        return false;
    }

    /// <summary>Directories on the way are ours and real; a path that is too long for one call is walked in pieces.</summary>
    private Errno Link(ReadOnlySpan<byte> path, SafeFileHandle directory, ReadOnlySpan<byte> name)
    {
        var from = root;
        try
        {
            while (path.Length > MaximumPath)
            {
                var slash = path[..MaximumPath].LastIndexOf((byte)'/');
                var next = Libc.OpenAt(from, path[..slash], OpenFlags.Path | OpenFlags.Directory | OpenFlags.NoFollow);
                if (from != root) from.Dispose();
                from = next;
                path = path[(slash + 1)..];
            }

            return Libc.TryLinkAt(from, path, directory, name);
        }
        finally
        {
            if (from != root) from.Dispose();
        }
    }

    [StructLayout(LayoutKind.Auto)]
    private struct Copied
    {
        internal byte[] Path;
        internal uint NamesToCome;
    }
}
