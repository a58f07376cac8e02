using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

/// <summary>What keeps the owner of a tree from removing a name in it, other than a mount.</summary>
internal static class Obstacles
{
    private const InodeFlags Locked = InodeFlags.Immutable | InodeFlags.AppendOnly;

    /// <summary>
    /// Makes the removal of a name possible: takes immutable and append-only flags off the name and its directory
    /// (EPERM), gives the directory's owner write permission (EACCES). Quiet about what it cannot do: the next attempt says it.
    /// </summary>
    internal static void Lift(SafeFileHandle directory, ReadOnlySpan<byte> name, Errno errno)
    {
        if (errno == Errno.EACCES)
        {
            var mode = Libc.FStat(directory).Permissions;
            if ((mode & 0xC0) != 0xC0) Libc.FChmod(directory, mode | 0x1C0);
            return;
        }
        Unlock(directory);
        // Only these two types can be opened without side effects, and no other can carry the flags.
        if (Libc.TryFStatAt(directory, name, out var status) != Errno.None || !(status.IsRegular || status.IsDirectory)) return;
        if (Libc.TryOpenAt(directory, name, OpenFlags.NoFollow | OpenFlags.NonBlocking, 0, out var file) != Errno.None) return;
        using (file) Unlock(file);
    }

    private static void Unlock(SafeFileHandle file)
    {
        if (Libc.TryGetInodeFlags(file, out var flags) != Errno.None || (flags & Locked) == InodeFlags.None) return;
        Libc.TrySetInodeFlags(file, flags & ~Locked);
    }
}
