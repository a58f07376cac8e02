using StorageActors.Catalog;
using StorageActors.DriverOperations;
using StorageActors.Drivers;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.Settings;
using StorageActors.Transfers;

namespace StorageActors.Store;

/// <summary>Makes a store's driver.</summary>
/// <param name="name">The one to open; null for the best that works here.</param>
/// <param name="settings">The store.</param>
internal delegate ILayerDriver OpenDriver(string? name, StorageSettings settings);

/// <summary>A store that this process owns, until it is disposed; the owner's lock goes last.</summary>
internal sealed class OpenedStore : IDisposable
{
    private const string Operation = "open store";

    private readonly OwnerLock _owner;

    private OpenedStore(OwnerLock owner, StoreFormat format, DriverServices services, bool wasClosed, CatalogState? additional) =>
        (_owner, Format, Services, WasClosed, Additional) = (owner, format, services, wasClosed, additional);

    /// <summary>Whether the last engine came to its end, with nothing half done: what it wrote is complete then.</summary>
    internal bool WasClosed { get; }

    internal StoreFormat Format { get; }

    /// <summary>What additional stores had when it was opened; null without any.</summary>
    internal CatalogState? Additional { get; }

    internal DriverServices Services { get; }

    /// <summary>Opens the store of these settings, or makes it. Blocks for as long as the disk and a few trial mounts take.</summary>
    /// <exception cref="StorageException">Why not: somebody else owns it, it is damaged or unknown, or nothing works here.</exception>
    internal static OpenedStore Open(StorageSettings settings, OpenDriver openDriver, TransferTable transfers, TimeProvider time, string? socket)
    {
        var store = OpenWithoutJournal(settings, openDriver, transfers, time, socket);
        try
        {
            JournalDatabase.Prepare(store.Services.Layout.Journal);
            new StoreReserve(settings.Root).Refill();
            return store;
        }
        catch (Exception e)
        {
            store.Dispose();
            if (Refusal(e, settings.Root) is { } error) throw new StorageException(error, e);
            throw;
        }
    }

    /// <summary>As <see cref="Open"/>, whatever the journal is like.</summary>
    internal static OpenedStore OpenWithoutJournal(StorageSettings settings, OpenDriver openDriver, TransferTable transfers, TimeProvider time, string? socket)
    {
        try
        {
            return OpenRoot(settings, openDriver, transfers, time, socket);
        }
        catch (Exception e) when (Refusal(e, settings.Root) is { } error)
        {
            throw new StorageException(error, e);
        }
    }

    /// <summary>What a failure to open means to whoever asked; null for a defect.</summary>
    internal static StorageError? Refusal(Exception exception, string root)
    {
        if (exception is DriverException driver) return driver.Error;
        if (exception is not (IOException or UnauthorizedAccessException)) return null;
        var linux = exception as LinuxException;
        // What there is no room for, or not at this moment, is the same refusal wherever it comes from.
        if (linux is not null && DriverErrors.Translate(linux, Operation, root) is { } known && (known is TransientDriverException || known.Error.Code == StorageErrorCode.NoSpace))
            return known.Error;
        var errno = linux?.Errno ?? (exception is UnauthorizedAccessException ? Errno.EACCES : Errno.None);
        var message = $"{exception.Message.TrimEnd('.')}{Advice(errno)}";
        return new StorageError(StorageErrorCode.Io, Operation, message, root, errno == Errno.None ? null : errno.ToString());
    }

    private static string Advice(Errno errno) => errno switch
    {
        Errno.EACCES or Errno.EPERM => ". Run it as root or as the store's owner, or use another root.",
        Errno.EROFS => ". A store on a read-only file system can only be listed and inspected, or be one of another's additional-stores; use another root.",
        Errno.ENOTDIR => ". The root, or what it lies in, is no directory; use another root.",
        _ => "",
    };

    public void Dispose()
    {
        Services.Driver.Dispose();
        Services.Staged.Dispose();
        Services.Lock.Dispose();
        Services.Metrics.Dispose();
        _owner.Dispose();
    }

    private static OpenedStore OpenRoot(StorageSettings settings, OpenDriver openDriver, TransferTable transfers, TimeProvider time, string? socket)
    {
        var isNew = StoreRoot.Make(settings.Root);
        var reserve = new StoreReserve(settings.Root);
        reserve.ReleaseWhenFull(); // Even the owner's name takes a block on btrfs.
        var owner = OwnerLock.Take(settings.Root, socket, settings.HasOwnJournal && settings.AdditionalStores.Count == 0);
        ILayerDriver? driver = null;
        try
        {
            var wanted = DriverFactory.NameOf(settings.Driver);
            var (layout, format) = StoreRoot.Open(settings.Root, wanted, () => (driver = openDriver(wanted, settings)).Name, () => driver!.Capabilities.HasFlag(DriverCapabilities.UserXattrs));
            driver ??= openDriver(format.Driver, settings);
            format.CheckMarks(layout.Root, driver.Capabilities);
            var wasClosed = JournalDatabase.WasClosed(layout.Journal) && !UnsettledMark.IsSet(layout) && !ImageFile.IsAnyStaged(layout);
            if (!wasClosed || !settings.HasOwnJournal) UnsettledMark.Set(layout); // Before anybody opens the journal, and may close it.
            var additional = AdditionalStores.Read(settings.AdditionalStores, layout, driver.Capabilities);
            var metrics = new StoreMetrics();
            var storeLock = new StoreLock(layout.StoreLock, metrics, time);
            return new OpenedStore(owner, format, new DriverServices(driver, layout, storeLock, metrics, transfers, new StagedLayers(), time), wasClosed, additional);
        }
        catch
        {
            driver?.Dispose();
            if (isNew) StoreRoot.Unmake(settings.Root);
            owner.Dispose();
            throw;
        }
    }
}
