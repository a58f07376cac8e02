using Akka.Actor;
using StorageActors.Client;
using StorageActors.Engine;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Cli.Running;

/// <summary>Answers questions where there is no store: nothing is there. To ask must not make one.</summary>
internal sealed class NoStoreChannel : IStorageChannel
{
    private readonly string _root;

    private NoStoreChannel(string root) => _root = root;

    /// <inheritdoc/>
    public IActorRef? Holder => null;

    /// <summary>The answers, if there is nothing but what a store may be made in. Whatever else there is, is for an engine to judge.</summary>
    internal static NoStoreChannel? TryOpen(string root) => StorageEngine.IsVacant(root) ? new NoStoreChannel(root) : null;

    /// <inheritdoc/>
    public Task<TReply> AskAsync<TReply>(StoreProtocol.ICommand command, CancellationToken stop = default)
        where TReply : StoreProtocol.IReply => command switch
        {
            CatalogProtocol.ListLayers => Task.FromResult((TReply)(object)new CatalogProtocol.Layers([])),
            CatalogProtocol.ListImages => Task.FromResult((TReply)(object)new CatalogProtocol.Images([])),
            CatalogProtocol.ListMounts => Task.FromResult((TReply)(object)new CatalogProtocol.Mounts([])),
            StoreProtocol.GetUsage { Layer: null } => Task.FromResult((TReply)(object)new StoreProtocol.Usage(new UsageReport([], 0, FreeOf(_root).Bytes, FreeOf(_root).Inodes))),
            StoreProtocol.GetStatistics => Task.FromResult((TReply)(object)new StoreProtocol.Statistics([], [])),
            StoreProtocol.Check => Task.FromResult((TReply)(object)new StoreProtocol.Checked([NoStore()])),
            StoreProtocol.CollectGarbage => Task.FromResult((TReply)(object)new StoreProtocol.Collected([], 0)),
            _ => Task.FromException<TReply>(Nothing()),
        };

    /// <inheritdoc/>
    public Task<OpenTransfer> OpenUploadAsync(CancellationToken stop = default) => throw Nothing();

    /// <inheritdoc/>
    public Task<OpenTransfer> OpenDownloadAsync(CancellationToken stop = default) => throw Nothing();

    /// <inheritdoc/>
    /// <remarks>There is never any.</remarks>
    public IDisposable WatchProgress(TicketId ticket, IProgress<StagingProgress> observer) => new Nobody();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>What is free where the store would be made.</summary>
    private static (long Bytes, long Inodes) FreeOf(string root)
    {
        for (var path = root; path is not null; path = Path.GetDirectoryName(path))
        {
            if (!Directory.Exists(path)) continue;
            var free = Libc.StatFs(path);
            return ((long)free.AvailableBlocks * free.BlockSize, (long)free.FreeInodes);
        }

        return (0, 0);
    }

    /// <summary>Whoever meant another root should see it.</summary>
    private Finding NoStore() => new("no-store", _root, "there is no store here yet; is the root the right one?", Repaired: false, Note: true);

    private sealed class Nobody : IDisposable
    {
        public void Dispose()
        {
            // Nobody was told anything.
        }
    }

    private StorageException Nothing() => new(new StorageError(StorageErrorCode.NotFound, "resolve", $"there is no store at {_root} yet", _root));
}
