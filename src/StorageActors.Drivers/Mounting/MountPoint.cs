using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Drivers.Mounting;

/// <summary>A directory that things are mounted on. Whether something is, is asked of the directory itself, never of the mount table.</summary>
internal static class MountPoint
{
    /// <summary>What is mounted.</summary>
    [StructLayout(LayoutKind.Auto)]
    internal readonly record struct State(FsMagic Type, bool IsReadOnly, MountAttributes Attributes)
    {
        /// <summary>The device number of the file system that is mounted, while there is one.</summary>
        internal DeviceNumber FileSystem { get; init; }
    }

    /// <summary>What is mounted exactly here; null when nothing is, or when the directory is not there.</summary>
    internal static State? Find(string path) => Find(path, out _);

    /// <summary>As <see cref="Find(string)"/>.</summary>
    /// <param name="path">The mount point.</param>
    /// <param name="status">Of what is there, mounted or not; nothing's when nothing is.</param>
    internal static State? Find(string path, out FileStatus status)
    {
        switch (Libc.TryStat(path, out status))
        {
            case Errno.None:
                break;
            case Errno.ENOENT or Errno.ENOTDIR:
                return null;
            case var errno:
                throw new LinuxException("statx", path, errno);
        }

        if (!IsRoot(path, status)) return null;
        var fileSystem = Libc.StatFs(path);
        return new State(fileSystem.Type, fileSystem.IsReadOnly, fileSystem.Attributes) { FileSystem = status.FileSystem };
    }

    /// <summary>
    /// Unmounts whatever is mounted here, also when it is several mounts on top of each other; nothing mounted is success. While somebody uses it:
    /// a transient error that names who, or, with <paramref name="force"/>, a lazy unmount.
    /// </summary>
    /// <returns>Whether something was mounted.</returns>
    internal static bool Unmount(string path, bool force) => Unmount(path, force, flags => Libc.TryUmount2(path, flags), () => Find(path));

    /// <summary>The same in another driver's ways.</summary>
    /// <param name="path">The mount point.</param>
    /// <param name="force">Whether to unmount lazily what is busy.</param>
    /// <param name="unmount">Unmounts the topmost mount.</param>
    /// <param name="find">What is mounted now.</param>
    internal static bool Unmount(string path, bool force, Func<UnmountFlags, Errno> unmount, Func<State?> find)
    {
        for (var unmounted = false; ; unmounted = true)
        {
            var errno = unmount(UnmountFlags.None);
            if (errno == Errno.EBUSY && force) errno = unmount(UnmountFlags.Detach);
            if (errno == Errno.None) continue;   // There may be another one below. That there is none is said by the call, which needs no look at the disk.

            var isGone = errno is Errno.EINVAL or Errno.ENOENT or Errno.ENOTDIR;
            if (unmounted && (isGone || find() is null)) return true;
            if (errno == Errno.EBUSY) throw Busy(path);
            if (!isGone) throw new LinuxException("umount2", path, errno);
            // EINVAL is also what a mount says that came locked from another user namespace.
            if (find() is null) return false;
            throw new LinuxException("umount2", path, errno, detail: "it is mounted, but not by a mount namespace that may unmount it here");
        }
    }

    /// <summary>
    /// Puts a new directory in the place of an unmounted mount point. Copies of the mount that other mount namespaces still have vanish with the old
    /// one (Linux 3.18). When somebody wrote into the bare directory, that goes to <c>stray-N</c> beside it, with the copies, instead of keeping the layer
    /// from being mounted ever again. Whoever dies in between, or whose disk is full then, leaves no mount point, and the next mount makes it.
    /// </summary>
    /// <param name="parent">The directory that it lies in.</param>
    /// <param name="name">Its name.</param>
    internal static void Replace(SafeFileHandle parent, string name)
    {
        var point = Utf8(name);
        var errno = Libc.TryUnlinkAt(parent, point, AtFlags.RemoveDirectory);
        if (errno is Errno.ENOTEMPTY or Errno.EEXIST) MoveAside(parent, point);
        else if (errno is not (Errno.None or Errno.ENOENT)) throw Libc.Failure("unlinkat", parent, point, errno, "AT_REMOVEDIR");
        MakeDirectory(parent, point);
    }

    /// <summary>Makes the directory if it is missing; replaces it if it is not empty, since a mount would hide that.</summary>
    internal static void Prepare(SafeFileHandle parent, string name)
    {
        var errno = Libc.TryOpenAt(parent, Utf8(name), OpenFlags.Directory | OpenFlags.NoFollow, 0, out var directory);
        using (directory)
        {
            if (errno == Errno.ENOENT)
            {
                MakeDirectory(parent, Utf8(name));
                return;
            }

            if (errno != Errno.None) throw Libc.Failure("openat", parent, Utf8(name), errno);
            using var reader = new DirectoryReader(directory);
            if (!reader.TryRead(out _)) return;
        }

        Replace(parent, name);
    }

    private static void MoveAside(SafeFileHandle parent, byte[] point)
    {
        for (var number = 1; ; number++)
        {
            var errno = Libc.TryRenameAt2(parent, point, parent, Utf8($"stray-{number}"), RenameFlags.NoReplace);
            if (errno is Errno.None or Errno.ENOENT) return;
            if (errno != Errno.EEXIST) throw Libc.Failure("renameat2", parent, point, errno);
        }
    }

    private static void MakeDirectory(SafeFileHandle parent, byte[] name)
    {
        var errno = Libc.TryMkdirAt(parent, name, 0x1C0);   // 0700
        if (errno is not (Errno.None or Errno.EEXIST)) throw Libc.Failure("mkdirat", parent, name, errno);
    }

    private static bool IsRoot(string path, in FileStatus status)
    {
        if (status.KnowsMountRoot) return status.IsMountRoot;
        // Before 5.8: what is mounted has another device number than the directory above. Enough for file systems of their own, as ours are.
        return Path.GetDirectoryName(path) is { } above && Libc.Stat(above, AtFlags.None).FileSystem != status.FileSystem;
    }

    private static TransientDriverException Busy(string path)
    {
        var holders = MountHolders.Find(path);
        var who = holders.Count == 0 ? "whoever used it has gone meanwhile" : string.Join("; ", holders.Take(8));
        if (holders.Count > 8) who += $"; and {holders.Count - 8} more";
        return new TransientDriverException(new StorageError(
            StorageErrorCode.InUse, "umount", $"{path} is busy: {who}. End that and try again, or force it.", path, nameof(Errno.EBUSY), StorageErrorReason.MountBusy));
    }

    private static byte[] Utf8(string name) => System.Text.Encoding.UTF8.GetBytes(name);
}
