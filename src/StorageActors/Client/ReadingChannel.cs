using Akka.Actor;
using StorageActors.Catalog;
using StorageActors.Drivers;
using StorageActors.Protocol;
using StorageActors.Reading;

namespace StorageActors.Client;

/// <summary>
/// A way to a store that needs nobody to serve it: it answers questions about layers, images and names from the store's journal, as it was when the channel was
/// opened, and refuses everything else as unsupported. It changes nothing, takes no lock and waits for nobody; the store may have an owner in any
/// process, or none, and may lie on a read-only file system.
/// <code>
/// await using var store = ReadingChannel.TryOpen("/var/lib/storage-actors") is { } channel ? new StorageClient(channel) : null;
/// </code>
/// </summary>
public sealed class ReadingChannel : IStorageChannel
{
    private readonly StoreReading _reading;

    private ReadingChannel(StoreReading reading) => _reading = reading;

    /// <inheritdoc/>
    public IActorRef? Holder => null;

    /// <summary>The store's root directory.</summary>
    public string Root => _reading.Layout.Root;

    /// <summary>The store's identity.</summary>
    public string StoreId => _reading.Format.StoreId;

    /// <summary>
    /// Reads the store. There is no answer when there is no store; when its owner keeps the journal elsewhere; when no owner has seen to what a crash left
    /// yet; and with <paramref name="withMounts"/>, when only an owner can say what is mounted: while there is one, it knows best.
    /// </summary>
    /// <param name="root">Its root.</param>
    /// <param name="withMounts">Whether mounts and leases will be asked for, or what is mounted at a path.</param>
    /// <returns>Null when the question has to be asked of an owner, or by becoming one.</returns>
    /// <exception cref="StorageException">The store is of a format that this version must not read.</exception>
    public static ReadingChannel? TryOpen(string root, bool withMounts = false)
    {
        var reading = StoreReading.TryRead(Path.TrimEndingDirectorySeparator(Path.GetFullPath(root)), withMounts);
        return reading is null || (withMounts && reading.Mounts is null) ? null : new ReadingChannel(reading);
    }

    /// <inheritdoc/>
    public Task<TReply> AskAsync<TReply>(StoreProtocol.ICommand command, CancellationToken stop = default)
        where TReply : StoreProtocol.IReply => Answer(command) switch
        {
            TReply reply => Task.FromResult(reply),
            StoreProtocol.Refused refused => Task.FromException<TReply>(new StorageException(refused.Error)),
            var other => throw new InvalidOperationException($"{command.GetType().Name} is answered by {other.GetType().Name}, not {typeof(TReply).Name}"),
        };

    /// <inheritdoc/>
    public Task<OpenTransfer> OpenUploadAsync(CancellationToken stop = default) => throw new StorageException(Unsupported("upload"));

    /// <inheritdoc/>
    public Task<OpenTransfer> OpenDownloadAsync(CancellationToken stop = default) => throw new StorageException(Unsupported("download"));

    /// <inheritdoc/>
    public IDisposable WatchProgress(TicketId ticket, IProgress<StagingProgress> observer) => throw new StorageException(Unsupported("progress"));

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private StoreProtocol.IReply Answer(StoreProtocol.ICommand command) => command switch
    {
        CatalogProtocol.ListLayers => new CatalogProtocol.Layers(_reading.Catalog.ListLayers()),
        CatalogProtocol.ListImages => new CatalogProtocol.Images(_reading.Catalog.ListImages()),
        CatalogProtocol.ListMounts when _reading.Mounts is { } mounts => new CatalogProtocol.Mounts(mounts),
        CatalogProtocol.Resolve resolve => Answer(References.Resolve(_reading.Catalog, _reading.FindMount, resolve.Reference)),
        CatalogProtocol.FindChain find => Answer(References.FindChain(_reading.Catalog, find.ChainId)),
        StoreProtocol.GetMetadata find => Answer(find.Layer),
        _ => new StoreProtocol.Refused(Unsupported(command.GetType().Name)),
    };

    private StoreProtocol.IReply Answer(LayerId id)
    {
        var (catalog, layout) = (_reading.Catalog, _reading.Layout);
        if (catalog.FindLayer(id) is not { } layer) return new StoreProtocol.Refused(Refusals.NotFound("inspect", id));
        try
        {
            return new StoreProtocol.Metadata(id, LayerPlaces.Of(layout.Driver, layout.Locate(id), [.. catalog.AncestorsOf(layer).Select(layout.Locate)]));
        }
        catch (DriverException e)
        {
            return new StoreProtocol.Refused(e.Error);
        }
    }

    private static StoreProtocol.IReply Answer(Decision<CatalogProtocol.Resolved> decision) =>
        decision.IsRefused(out var refusal, out var resolved) ? new StoreProtocol.Refused(refusal) : resolved;

    private static StorageError Unsupported(string operation) =>
        new(StorageErrorCode.Unsupported, operation, "a store that is only read cannot do this; ask its owner");
}
