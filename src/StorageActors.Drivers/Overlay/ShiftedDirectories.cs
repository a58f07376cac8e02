using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Drivers.Overlay;

/// <summary>
/// Gives directories other owners for use as layers: each by a clone of its mount that is attached nowhere, so that nothing is left behind by whatever ends this process.
/// The user namespaces that hold the maps are kept for the next mount, up to a number of them; mounts that have one do not need it any more.
/// </summary>
internal sealed class ShiftedDirectories : IDisposable
{
    /// <summary>A descriptor each; the one that was not asked for longest makes room.</summary>
    internal const int Most = 32;

    private readonly Lock _lock = new();
    private readonly Dictionary<IdShift, Kept> _namespaces = [];
    private long _uses;
    private bool _isDisposed;

    /// <summary>How many namespaces are kept.</summary>
    internal int Count
    {
        get
        {
            lock (_lock) return _namespaces.Count;
        }
    }

    /// <summary>
    /// The same directory with its owners shifted, itself the root of a mount: what lies above it, which the container's users may not enter, has no part in it.
    /// </summary>
    /// <exception cref="PermanentDriverException">The kernel or the file system cannot shift.</exception>
    internal SafeFileHandle Shift(SafeFileHandle directory, string path, IdShift shift)
    {
        var clone = Libc.OpenTree(directory, [], OpenTreeFlags.Clone);
        try
        {
            // Nobody closes the namespace meanwhile: who makes room for another waits for the lock.
            lock (_lock) Libc.MountSetAttr(clone, MountAttributes.IdMap, userNamespace: Find(shift));
            return clone;
        }
        catch (LinuxException e) when (!IsForTheMoment(e))
        {
            clone.Dispose();
            throw new PermanentDriverException(new StorageError(
                StorageErrorCode.Unsupported, "mount",
                $"{e.Message}. The file system cannot show its files with other owners: idmapped mounts need Linux 5.12, and ext4, xfs, btrfs, tmpfs or another file system that "
                + "knows them. Use host ids, or put the store elsewhere.", path, e.Errno.ToString()), e);
        }
        catch
        {
            clone.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _isDisposed = true;
            foreach (var kept in _namespaces.Values) kept.Namespace.Dispose();
            _namespaces.Clear();
        }
    }

    private SafeFileHandle Find(IdShift shift)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (!_namespaces.TryGetValue(shift, out var kept))
        {
            kept = new Kept(Make(shift));
            if (_namespaces.Count >= Most)
            {
                var (oldest, unused) = _namespaces.MinBy(static pair => pair.Value.LastUse);
                _namespaces.Remove(oldest);
                unused.Namespace.Dispose();
            }

            _namespaces.Add(shift, kept);
        }

        kept.LastUse = ++_uses;
        return kept.Namespace;
    }

    private static SafeFileHandle Make(IdShift shift)
    {
        try
        {
            return UserNamespace.Create(shift.Uidmap, shift.Gidmap);
        }
        catch (LinuxException e) when (!IsForTheMoment(e))
        {
            throw new PermanentDriverException(new StorageError(
                StorageErrorCode.Unsupported, "mount",
                $"{e.Message}. A mount with a map of ids needs a user namespace: CAP_SYS_ADMIN, CAP_SETUID, CAP_SETGID and CAP_SETFCAP, and user.max_user_namespaces above what "
                + "is in use.", Errno: e.Errno.ToString()), e);
        }
    }

    private static bool IsForTheMoment(LinuxException e) => e.Errno is Errno.EAGAIN or Errno.ENOMEM or Errno.EMFILE or Errno.ENFILE;

    private sealed record Kept(SafeFileHandle Namespace)
    {
        internal long LastUse { get; set; }
    }
}
