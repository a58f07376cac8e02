using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Drivers.Probing;

/// <summary>The file system that a store lies on, and whether an overlay can be written to there; it says why not, and what to do.</summary>
internal static class StoreFileSystem
{
    /// <summary>Refuses file systems that cannot hold an upper directory.</summary>
    internal static void CheckUpper(string root)
    {
        var status = Libc.StatFs(root);
        var why = status.Type switch
        {
            FsMagic.Overlay => "an overlay cannot be written to on top of another one; inside a container, put the store on a volume",
            FsMagic.Aufs => "an overlay does not work on top of aufs",
            FsMagic.Ecryptfs => "an overlay does not work on top of ecryptfs; encrypt the device instead",
            FsMagic.Nfs => "an overlay cannot be written to on NFS, which has no trusted attributes; use a local disk",
            FsMagic.Erofs or FsMagic.SquashFs => "it is a read-only file system",
            _ when status.IsReadOnly => "it is mounted read-only",
            _ => null,
        };
        if (why is null) return;
        throw DriverErrors.Refuse(
            StorageErrorCode.Unsupported, "probe",
            $"The store at {root} lies on {NameOf(status.Type)}: {why}. Choose another root, or the driver vfs, which needs no mounts.", root);
    }

    /// <summary>
    /// Tries in a scratch directory what an upper directory needs. Each is a thing that people have met: xfs made with ftype=0, a file system mounted
    /// without xattrs, a tmpfs before Linux 6.6 in a user namespace.
    /// </summary>
    /// <param name="scratch">The scratch directory.</param>
    /// <param name="root">The store's root.</param>
    /// <param name="userXattrs">The form of the marks; null for those of users in a user namespace, unless it may have trusted ones.</param>
    /// <returns>Whether the marks are attributes of users.</returns>
    internal static bool CheckFeatures(string scratch, string root, bool? userXattrs)
    {
        using var directory = Libc.OpenDirectory(scratch);
        var name = NameOf(Libc.StatFs(root).Type);
        if (!KnowsTypes(directory))
        {
            throw Lacks("d_type (the type of a file in its directory's list)", "An xfs must be made with -n ftype=1, an ext4 with the filetype feature.");
        }

        var errno = userXattrs == true ? Errno.EPERM : Libc.TryFSetXattr(directory, "trusted.overlay.probe"u8, "y"u8);
        var hasUserXattrs = errno == Errno.EPERM && (userXattrs ?? UserNamespace.IsOwn);
        if (hasUserXattrs) errno = Libc.TryFSetXattr(directory, "user.overlay.probe"u8, "y"u8);
        if (errno == Errno.EPERM) throw NotRoot(hasUserXattrs ? "set attributes of its files" : "set trusted attributes");
        if (errno != Errno.None && hasUserXattrs)
            throw Lacks("extended attributes of users", "Mount it with user_xattr, or use another file system: ext4, xfs and btrfs have them, tmpfs since Linux 6.6.");
        if (errno != Errno.None) throw Lacks("trusted extended attributes", "Mount it with user_xattr, or use another file system: ext4, xfs and btrfs have them.");

        errno = Libc.TryMknodAt(directory, "whiteout"u8, FileType.CharacterDevice, 0);
        if (errno is not (Errno.None or Errno.EEXIST)) throw NotRoot("make the device nodes that hide deleted files");
        return hasUserXattrs;

        PermanentDriverException Lacks(string what, string advice) => DriverErrors.Refuse(
            StorageErrorCode.Unsupported, "probe", $"{name} under the store at {root} lacks {what}, which an overlay needs. {advice}", root);

        PermanentDriverException NotRoot(string what) => DriverErrors.Refuse(
            StorageErrorCode.Unsupported, "probe",
            $"The store at {root} may not {what}. The driver overlay needs root with CAP_SYS_ADMIN and CAP_MKNOD, or Linux 5.11 and a user namespace with mounts of its own (unshare --user --map-root-user --mount).", root);
    }

    /// <summary>
    /// Asks an ext file system to put new directories in here far from each other. Without it an ext4 that has no journal looks at every inode
    /// freed in the last minute when a layer is made after another one was deleted. No other file system knows the flag; it is a hint.
    /// </summary>
    internal static void SpreadDirectories(string path)
    {
        if (Libc.TryOpen(path, OpenFlags.Directory, 0, out var directory) != Errno.None) return;
        using (directory)
        {
            if (Libc.FStatFs(directory).Type != FsMagic.Ext || Libc.TryGetInodeFlags(directory, out var flags) != Errno.None) return;
            if ((flags & InodeFlags.TopDirectory) == InodeFlags.None) Libc.TrySetInodeFlags(directory, flags | InodeFlags.TopDirectory);
        }
    }

    internal static string NameOf(FsMagic type) => type switch
    {
        FsMagic.Ext => "ext4",
        _ when Enum.IsDefined(type) => type.ToString().ToLowerInvariant(),
        _ => $"a file system of type 0x{(uint)type:x}",
    };

    private static bool KnowsTypes(Microsoft.Win32.SafeHandles.SafeFileHandle directory)
    {
        using var reader = new DirectoryReader(directory);
        return reader.TryRead(out var entry) && entry.Type != FileType.Unknown;
    }
}
