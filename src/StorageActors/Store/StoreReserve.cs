using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;

namespace StorageActors.Store;

/// <summary>
/// Space set aside: a file of a few MiB that is deleted when the file system is full. To remove something takes space, too: a record in the journal, a name
/// in the trash, on btrfs every block that is written over. With this a full store can be opened and emptied. All of it is best effort.
/// </summary>
internal sealed class StoreReserve(string root)
{
    /// <summary>More than the journal and a few directories need for a good many removals.</summary>
    internal const long Size = 4L << 20;

    /// <summary>With less than this left the reserve is given back.</summary>
    private const long Low = 1L << 20;

    /// <summary>It is set aside as soon as it leaves more than that.</summary>
    private const long Enough = Size + (2 * Low);

    private static ReadOnlySpan<byte> Name => "reserve"u8;

    /// <summary>Gives the space back if the file system has next to none.</summary>
    internal void ReleaseWhenFull() => BestEffort(directory =>
    {
        // btrfs has the space only when the transaction is on the disk.
        if (Free() < Low && Libc.TryUnlinkAt(directory, Name) == Errno.None) Libc.SyncFs(directory);
    });

    /// <summary>Sets the space aside, if it is not and it fits.</summary>
    internal void Refill() => BestEffort(directory =>
    {
        // One that is too small was left by a death before its space was taken.
        if ((Libc.TryFStatAt(directory, Name, out var there) == Errno.None && (!there.IsRegular || there.Size >= Size)) || Free() < Enough) return;
        var errno = Libc.TryOpenAt(directory, Name, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.NoFollow | OpenFlags.NonBlocking, 0x180, out var file);
        using (file)
        {
            if (errno != Errno.None) return;
            // A file system that cannot allocate ahead would take zeros for nothing.
            if (Libc.TryFAllocate(file, AllocationFlags.None, 0, Size) != Errno.None) Libc.TryUnlinkAt(directory, Name);
        }
    });

    private long Free()
    {
        var status = Libc.StatFs(root);
        return (long)status.AvailableBlocks * status.BlockSize;
    }

    private void BestEffort(Action<SafeFileHandle> action)
    {
        try
        {
            using var directory = Libc.OpenDirectory(root);
            action(directory);
        }
        catch (LinuxException)
        {
            // What needs the space says what is wrong, if it is.
        }
    }
}
