using System.Runtime.ExceptionServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using StorageActors.Drivers;
using StorageActors.DriverOperations;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.Store;

namespace StorageActors.Trash;

/// <summary>Lists what lies in the trash and may be deleted, as absolute paths.</summary>
/// <param name="IsSettled">
/// Whether the journal agrees with the directories. While the store serves it may not yet have the removal of a layer or an image that lies here; a death would then find
/// neither, so these are left to those who removed them.
/// </param>
internal sealed record ListTrash(bool IsSettled) : DriverOperation<IReadOnlyList<string>>
{
    internal override string Verb => "list trash";

    internal override IReadOnlyList<string> Execute(DriverServices services, CancellationToken stop) =>
    [
        .. DirectoryNames.Of(services.Layout.TrashHome).Where(static name => !StoreLock.IsRehearsal(name)).Select(name => Path.Combine(services.Layout.TrashHome, name))
            .Where(path => IsSettled || !HasRecord(path)),
    ];

    private static bool HasRecord(string path) => LayerFile.TryReadId(path) is not null || ImageFile.TryReadId(path) is not null;
}

/// <summary>Measures what a tree in the trash takes; 0 when that cannot be told.</summary>
internal sealed record MeasureTrash(string Path) : DriverOperation<ContentUsage>
{
    internal override string Verb => "measure trash";

    internal override OperationLane Lane => OperationLane.Trash;

    internal override ContentUsage Execute(DriverServices services, CancellationToken stop)
    {
        var name = System.IO.Path.GetFileName(Path);
        var staged = System.IO.Path.Combine(Path, StoreLayout.StagedLayerName);
        try
        {
            var layer = Libc.TryStat(staged, out _) == Errno.None ? staged : Path;
            return services.Driver.Measure(new LayerLocation(LayerId.Parse(name), layer));
        }
        catch (Exception e) when (e is DriverException or IOException or FormatException)
        {
            return new ContentUsage(0, 0, 0); // An image, half a layer: it is deleted all the same.
        }
    }
}

/// <summary>Deletes a tree in the trash, or a part of it, if the engine ends. A mount inside it, of whoever was killed, is taken off first.</summary>
internal sealed record DeleteTrash(string Path) : DriverOperation<Nothing>
{
    [ThreadStatic]
    private static bool _isLow;

    internal override string Verb => "delete trash";

    internal override OperationLane Lane => OperationLane.Trash;

    /// <summary>The next round tries again.</summary>
    internal override bool Repeatable => false;

    internal override Nothing Execute(DriverServices services, CancellationToken stop)
    {
        if (!_isLow) Libc.LowerThreadPriority();
        _isLow = true;
        using var home = Libc.OpenDirectory(services.Layout.TrashHome);
        var name = Encoding.UTF8.GetBytes(System.IO.Path.GetFileName(Path));
        try
        {
            Remove(home, name, stop);
        }
        catch (LinuxException e) when (e.Errno == Errno.EBUSY)
        {
            foreach (var mount in MountTable.ReadBelow(Path)) Unmount(mount.Target);
            Remove(home, name, stop);
        }

        services.Reserve.Refill();
        return Nothing.Instance;
    }

    /// <summary>The content first: it is nearly all there is, and a crash after it leaves half a tree.</summary>
    private static void Remove(SafeFileHandle home, ReadOnlySpan<byte> name, CancellationToken stop)
    {
        if (Libc.TryOpenAt(home, name, OpenFlags.Directory | OpenFlags.NoFollow, 0, out var tree) == Errno.None)
        {
            using (tree) DirectoryTree.Remove(tree, "diff"u8, stop);
            CrashPoint.Reached(CrashPoint.TrashHalfDeleted);
        }

        DirectoryTree.Remove(home, name, stop);
        CrashPoint.Reached(CrashPoint.TrashDeleted);
    }

    /// <summary>Nobody can have a claim on a mount in the trash; who is still in it keeps what he sees.</summary>
    private static void Unmount(string target)
    {
        if (Libc.TryUmount2(target) == Errno.EBUSY) Libc.TryUmount2(target, UnmountFlags.Detach);
    }
}

/// <summary>
/// Renames stagings that nobody owns to the trash: those whose lock can be taken, and those without one. While it is renamed the lock is held, so the
/// owner cannot come back. With <paramref name="AtStart"/> half-made images, too, which have no locks. What a death left of a rehearsal goes, too.
/// </summary>
internal sealed record SweepStagings(bool AtStart) : DriverOperation<IReadOnlyList<string>>
{
    internal override string Verb => "sweep staging";

    internal override IReadOnlyList<string> Execute(DriverServices services, CancellationToken stop)
    {
        var (layout, swept) = (services.Layout, new List<string>());
        LinuxException? first = null;
        using var stagings = Libc.OpenDirectory(layout.StagingHome);
        foreach (var name in DirectoryNames.Of(layout.StagingHome))
        {
            Try(name, () =>
            {
                var attempt = TryTake(Path.Combine(layout.StagingHome, name, StoreLayout.StagingLockName), out var held);
                using (held) return attempt != LockAttempt.Held && TrashDirectory.Take(layout, stagings, Encoding.UTF8.GetBytes(name), name) is not null;
            });
        }

        using var images = Libc.OpenDirectory(layout.ImageHome);
        foreach (var name in DirectoryNames.Of(layout.ImageHome).Where(name => AtStart && ImageFile.IsStaged(name)))
            Try(name, () => TrashDirectory.Take(layout, images, Encoding.UTF8.GetBytes(name), name[1..]) is not null);

        SweepRehearsals(layout);
        if (first is not null) ExceptionDispatchInfo.Throw(first);
        return swept;

        // Who makes a directory makes its lock next: whichever of us makes the lock, the other one sees it.
        static LockAttempt TryTake(string path, out FileLock? held)
        {
            var attempt = FileLock.TryTake(path, create: false, out held);
            if (attempt != LockAttempt.Missing) return attempt;
            try
            {
                return FileLock.TryTake(path, create: true, out held);
            }
            catch (LinuxException e) when (e.Errno == Errno.ENOENT)
            {
                return LockAttempt.Missing; // It has gone.
            }
            catch (LinuxException e) when (e.Errno is Errno.ENOSPC or Errno.EDQUOT)
            {
                return LockAttempt.Held; // Room may come, and its maker may have the lock then before it is renamed. The next sweep comes, too.
            }
        }

        // One that cannot be renamed keeps nobody from sweeping the others.
        void Try(string name, Func<bool> sweep)
        {
            try
            {
                if (!sweep()) return;
                CrashPoint.Reached(CrashPoint.StagingSwept);
                swept.Add(name);
            }
            catch (LinuxException e)
            {
                first ??= e;
            }
        }
    }

    /// <summary>Who is rehearsing at this moment does not mind.</summary>
    private static void SweepRehearsals(StoreLayout layout)
    {
        foreach (var path in (ReadOnlySpan<string>)[layout.DriverHome, layout.ImageHome, layout.TrashHome])
        {
            using var directory = Libc.OpenDirectory(path);
            StoreLock.TryTakeBack(directory);
        }
    }
}
