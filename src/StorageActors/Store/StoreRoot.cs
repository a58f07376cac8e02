using System.Text;
using Microsoft.Win32.SafeHandles;
using StorageActors.Drivers;
using StorageActors.Drivers.Overlay;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Store;

/// <summary>Makes and opens a store's root directory. Between the two calls the caller takes <see cref="OwnerLock"/>.</summary>
internal static class StoreRoot
{
    private const uint OwnerOnly = 0x1C0; // 0700

    /// <summary>What a store may have before it has its format file: a crash while it was made left it, or a fresh file system has it.</summary>
    private static readonly string[] BeforeFormat = ["owner.lock", "store.lock", "staging", "trash", "images", "lost+found"];

    /// <summary>Makes the root directory, for its owner alone, if there is none; directories above it as anybody would. Whether there was none.</summary>
    internal static bool Make(string root)
    {
        var path = Path.GetFullPath(root);
        if (Libc.TryStat(path, out _, AtFlags.None) == Errno.None) return false;
        var above = Path.GetDirectoryName(path)!;
        while (!Directory.Exists(above) && Path.GetDirectoryName(above) is { } next) above = next;
        ScratchRoot.Sweep(above);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        MakeEmpty(path);
        return true;
    }

    /// <summary>Makes a directory for its owner alone, if there is none.</summary>
    internal static void MakeEmpty(string path) => MakeDirectory(Path.GetDirectoryName(path)!, Path.GetFileName(path)).Dispose();

    /// <summary>
    /// Whether a store would be made here: there is nothing but what one is made beside, and nobody is at it. Whatever else there is, and whatever cannot be looked at, is for
    /// an engine to judge.
    /// </summary>
    internal static bool IsVacant(string root)
    {
        try
        {
            return Libc.TryStat(root, out _, AtFlags.None) == Errno.ENOENT
                || (DirectoryNames.Of(root).All(name => IsBeside(name) || DriverFactory.IsEmptyHome(root, name)) && OwnerLock.Find(root) is null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>
    /// Takes away the root that was made for a store which then could not be. The caller has the owner's lock still, and whoever takes the lock of a file that is
    /// gone looks again. A directory with anything in it stays.
    /// </summary>
    internal static void Unmake(string root)
    {
        if (Libc.TryStat(Path.Combine(root, "format.json"), out _) != Errno.ENOENT) return;
        DriverFactory.RemoveEmptyHomes(root);
        Libc.TryUnlinkAt(Libc.CurrentDirectory, Encoding.UTF8.GetBytes(StoreLayout.OwnerLockOf(root)));
        Libc.TryUnlinkAt(Libc.CurrentDirectory, Encoding.UTF8.GetBytes(root), AtFlags.RemoveDirectory);
    }

    /// <summary>
    /// Opens the store, or makes it: its directories first, its format file last. <paramref name="wanted"/> is a driver that the user insists on;
    /// <paramref name="choose"/> opens it, or without a wish the best, when a store is made: one that does not work here must not become the store's.
    /// </summary>
    /// <param name="root">The store's root.</param>
    /// <param name="wanted">The driver, or null.</param>
    /// <param name="choose">Opens the driver of a new store and names it.</param>
    /// <param name="hasUserXattrs">Whether the one that was opened keeps its marks in attributes of users.</param>
    /// <exception cref="StoreCorruptException">This version must not touch the store.</exception>
    /// <exception cref="PermanentDriverException">The directory holds something else, or a store of another driver.</exception>
    internal static (StoreLayout Layout, StoreFormat Format) Open(string root, string? wanted, Func<string> choose, Func<bool>? hasUserXattrs = null)
    {
        var path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));
        var format = StoreFormat.Read(path);
        if (format is not null && wanted is not null && wanted != format.Driver)
        {
            throw DriverErrors.Refuse(
                StorageErrorCode.InvalidArgument, "open store", $"{path} is a store of the driver {format.Driver}, not {wanted}; leave the driver out, or use another root", path);
        }

        if (format is null)
        {
            CheckUnused(path, wanted);
            ScratchRoot.Sweep(path);
        }

        var driver = format?.Driver ?? choose();
        var layout = new StoreLayout(path, driver);
        MakeAll(layout);
        if (format is not null) return (layout, format);
        CrashPoint.Reached(CrashPoint.StoreMade);
        var userXattrs = hasUserXattrs?.Invoke() == true;
        CheckOrigin(path, driver, userXattrs);
        format = StoreFormat.Create(path, driver, userXattrs ? [StoreFormat.UserXattrs] : []);
        CrashPoint.Reached(CrashPoint.FormatWritten);
        return (layout, format);
    }

    /// <summary>
    /// Layers whose format file is lost do not say which marks they have, unless the root directory is root's as this process knows root: then it was no other user's. That root
    /// made them in a user namespace cannot be told from it, nor from their marks without a look at every file.
    /// </summary>
    private static void CheckOrigin(string root, string driver, bool userXattrs)
    {
        if (driver != OverlayDriver.DriverName || DriverFactory.IsEmptyHome(root, driver) || (!userXattrs && Libc.Stat(root).UserId == Libc.GetEuid())) return;
        throw DriverErrors.Refuse(
            StorageErrorCode.Damaged, "open store",
            $"{root} has layers of the driver {driver} and no format.json, which says whether root or a user namespace made them; restore it", root);
    }

    private static void MakeAll(StoreLayout layout)
    {
        foreach (var directory in new[] { layout.DriverHome, layout.StagingHome, layout.TrashHome, layout.ImageHome })
        {
            using var handle = MakeDirectory(layout.Root, Path.GetFileName(directory));
            if (directory != layout.DriverHome) continue;
            // Spreads layers over the block groups of ext4: without it, making a tree after deleting one can take ten times as long. Best effort.
            if (Libc.TryGetInodeFlags(handle, out var flags) == Errno.None && (flags & InodeFlags.TopDirectory) == InodeFlags.None)
                Libc.TrySetInodeFlags(handle, flags | InodeFlags.TopDirectory);
        }

        using var root = Libc.OpenDirectory(layout.Root);
        StoreFormat.RemoveTemporaries(root);
        Libc.FSync(root);
    }

    private static SafeFileHandle MakeDirectory(string parent, string name)
    {
        using var handle = Libc.OpenDirectory(parent);
        var bytes = Encoding.UTF8.GetBytes(name);
        var errno = Libc.TryMkdirAt(handle, bytes, OwnerOnly);
        if (errno is not (Errno.None or Errno.EEXIST)) throw Libc.Failure("mkdirat", handle, bytes, errno);
        var made = Libc.OpenDirectoryAt(handle, bytes);
        if (errno == Errno.None) Libc.FChmod(made, OwnerOnly); // Whatever the umask is.
        return made;
    }

    /// <summary>Without a wish, layers of one driver say which it is; how many drivers' there are is for the choice to say.</summary>
    private static void CheckUnused(string root, string? wanted)
    {
        var foreign = DirectoryNames.Of(root).FirstOrDefault(name => !IsBeside(name)
            && (wanted is null ? !DriverFactory.IsHome(name) : name != wanted && !DriverFactory.IsEmptyHome(root, name)));
        if (foreign is null) return;
        throw DriverErrors.Refuse(
            StorageErrorCode.InvalidArgument, "open store", $"{root} is no store, and not empty: it has {foreign}. Use an empty directory, or restore its format.json", root);
    }

    private static bool IsBeside(string name) => name[0] == '.' || BeforeFormat.Contains(name, StringComparer.Ordinal);
}
