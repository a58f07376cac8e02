using StorageActors.Protocol;

namespace StorageActors.Client;

/// <summary>Looking after the store itself.</summary>
public sealed partial class StorageClient
{
    /// <summary>Where the driver keeps a layer.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="stop">Gives up waiting.</param>
    public async Task<LayerMetadata> GetMetadataAsync(LayerId layer, CancellationToken stop = default) =>
        (await Channel.AskAsync<StoreProtocol.Metadata>(new StoreProtocol.GetMetadata(layer), stop).ConfigureAwait(false)).Item;

    /// <summary>Looks for damage and leftovers while the store serves. Cancelling ends it.</summary>
    /// <param name="full">Whether all content is read, and every digest computed again.</param>
    /// <param name="repair">Whether what can be put right is.</param>
    /// <param name="dryRun">With <paramref name="repair"/>: whether that is only said.</param>
    /// <param name="progress">Is told how it goes.</param>
    /// <param name="unneededAfter">How old a layer that nothing needs has to be to be told; 24 hours if not given.</param>
    /// <param name="stop">Cancels it.</param>
    public async Task<IReadOnlyList<Finding>> CheckAsync(
        bool full = false, bool repair = false, bool dryRun = false, IProgress<StagingProgress>? progress = null, TimeSpan? unneededAfter = null,
        CancellationToken stop = default)
    {
        var ticket = TicketId.New();
        var command = new StoreProtocol.Check(full, repair, dryRun, ticket, unneededAfter);
        return (await RunAsync<StoreProtocol.Checked>(command, ticket, progress, stop).ConfigureAwait(false)).Findings;
    }

    /// <summary>Removes sealed layers that nothing needs.</summary>
    /// <param name="dryRun">Whether only to say which.</param>
    /// <param name="wait">Whether to wait until their bytes are deleted.</param>
    /// <param name="progress">Is told how the deleting goes.</param>
    /// <param name="olderThan">Leave layers alone that were made less than so long ago.</param>
    /// <param name="stop">Cancels the waiting; what is removed stays so.</param>
    public Task<StoreProtocol.Collected> CollectGarbageAsync(
        bool dryRun = false, bool wait = false, IProgress<StagingProgress>? progress = null, TimeSpan? olderThan = null, CancellationToken stop = default)
    {
        var ticket = TicketId.New();
        return RunAsync<StoreProtocol.Collected>(new StoreProtocol.CollectGarbage(dryRun, wait, ticket, olderThan), ticket, progress, stop);
    }

    /// <summary>Waits until the bytes of what was removed are deleted: for a program that ends then, since nobody would delete them after it.</summary>
    /// <param name="progress">Is told how the deleting goes.</param>
    /// <param name="stop">Cancels the waiting; the next engine goes on with what is left.</param>
    public Task<StoreProtocol.TrashEmptied> EmptyTrashAsync(IProgress<StagingProgress>? progress = null, CancellationToken stop = default)
    {
        var ticket = TicketId.New();
        return RunAsync<StoreProtocol.TrashEmptied>(new StoreProtocol.EmptyTrash(ticket), ticket, progress, stop);
    }

    /// <summary>Seals a writable layer.</summary>
    /// <param name="seal">Which layer, and what it is to be called.</param>
    /// <param name="progress">Is told how it goes.</param>
    /// <param name="stop">Cancels it; a layer that is about to be journaled is sealed all the same.</param>
    public async Task<LayerRecord> SealAsync(StoreProtocol.Seal seal, IProgress<StagingProgress>? progress = null, CancellationToken stop = default)
    {
        var ticket = seal.Ticket ?? TicketId.New();
        return (await RunAsync<StoreProtocol.LayerSealed>(seal with { Ticket = ticket }, ticket, progress, stop).ConfigureAwait(false)).Layer;
    }

    /// <summary>Writes a layer's tar to a file that the store can write.</summary>
    /// <param name="diff">Which layer's, and where it goes.</param>
    /// <param name="progress">Is told how it goes.</param>
    /// <param name="stop">Cancels it; nothing is left of the file.</param>
    public Task<StoreProtocol.DiffWritten> WriteDiffAsync(StoreProtocol.WriteDiff diff, IProgress<StagingProgress>? progress = null, CancellationToken stop = default)
    {
        var ticket = diff.Ticket ?? TicketId.New();
        return RunAsync<StoreProtocol.DiffWritten>(diff with { Ticket = ticket }, ticket, progress, stop);
    }

    /// <summary>Writes a blob that is kept with an image to a file that the store can write.</summary>
    /// <param name="read">Which, and where it goes.</param>
    /// <param name="progress">Is told how it goes.</param>
    /// <param name="stop">Cancels it; nothing is left of the file.</param>
    public Task<CatalogProtocol.BlobRead> ReadBlobAsync(CatalogProtocol.ReadBlob read, IProgress<StagingProgress>? progress = null, CancellationToken stop = default)
    {
        var ticket = read.Ticket ?? TicketId.New();
        return RunAsync<CatalogProtocol.BlobRead>(read with { Ticket = ticket }, ticket, progress, stop);
    }

    private async Task<TReply> RunAsync<TReply>(StoreProtocol.ICommand command, TicketId ticket, IProgress<StagingProgress>? progress, CancellationToken stop)
        where TReply : StoreProtocol.IReply
    {
        stop.ThrowIfCancellationRequested();
        using var watch = progress is null ? null : Channel.WatchProgress(ticket, progress);
        var asking = Channel.AskAsync<TReply>(command, CancellationToken.None);
        using var cancellation = stop.Register(() => _ = CancelAsync([ticket], asking));
        try
        {
            return await asking.ConfigureAwait(false);
        }
        catch (StorageException e) when (e.Error.Code == StorageErrorCode.Cancelled && stop.IsCancellationRequested)
        {
            throw new OperationCanceledException(e.Message, e, stop);
        }
    }
}
