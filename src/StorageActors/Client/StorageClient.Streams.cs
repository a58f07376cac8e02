using StorageActors.Protocol;

namespace StorageActors.Client;

/// <summary>Layers in and out.</summary>
public sealed partial class StorageClient
{
    private static readonly TimeSpan BetweenCancels = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// Applies a chain of tars. Cancelling stops the extractions and waits until nothing is left of them.
    /// </summary>
    /// <param name="apply">The chain; its owner is set by the client.</param>
    /// <param name="progress">Is told how each extraction goes.</param>
    /// <param name="stop">Cancels the work.</param>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/> was cancelled and the store refused the command for that.</exception>
    public async Task<IReadOnlyList<StoreProtocol.AppliedLayer>> ApplyAsync(
        StoreProtocol.Apply apply, IProgress<StagingProgress>? progress = null, CancellationToken stop = default)
    {
        var items = apply.Items.Select(static item => item with { Ticket = item.Ticket ?? TicketId.New() }).ToArray();
        var watches = progress is null ? [] : items.Select(item => Channel.WatchProgress(item.Ticket!.Value, progress)).ToList();
        try
        {
            var applying = Channel.AskAsync<StoreProtocol.Applied>(apply with { Items = items, Owner = Channel.Holder }, CancellationToken.None);
            using var cancellation = stop.Register(() => _ = CancelAsync(items.Select(static item => item.Ticket!.Value), applying));
            return (await applying.ConfigureAwait(false)).Layers;
        }
        catch (StorageException e) when (e.Error.Code == StorageErrorCode.Cancelled && stop.IsCancellationRequested)
        {
            throw new OperationCanceledException(e.Message, e, stop);
        }
        finally
        {
            foreach (var watch in watches) watch.Dispose();
        }
    }

    /// <summary>Applies one tar from a stream, which is read to its end and not disposed.</summary>
    /// <param name="tar">The tar, compressed or not.</param>
    /// <param name="parent">The layer below, or none.</param>
    /// <param name="spec">What it is to be called.</param>
    /// <param name="expect">What is expected of it.</param>
    /// <param name="progress">Is told how it goes.</param>
    /// <param name="reuse">Whether a layer that the store has already (same ChainID) is taken instead of a second copy.</param>
    /// <param name="stop">Cancels the work.</param>
    public async Task<StoreProtocol.AppliedLayer> ApplyAsync(
        Stream tar,
        LayerId? parent = null,
        StoreProtocol.LayerSpec? spec = null,
        StoreProtocol.Expectations? expect = null,
        IProgress<StagingProgress>? progress = null,
        bool reuse = false,
        CancellationToken stop = default)
    {
        var ticket = TicketId.New();
        var layers = await FeedAsync(
            tar, ticket,
            source => ApplyAsync(new StoreProtocol.Apply(parent, [new StoreProtocol.ChainItem(source, spec ?? new(), expect ?? new(), ticket)], reuse), progress, stop),
            stop).ConfigureAwait(false);
        return layers[0];
    }

    /// <summary>Fills a writable layer that is empty still with one tar from a stream, which is read to its end and not disposed.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="tar">The tar, compressed or not.</param>
    /// <param name="expect">What is expected of it.</param>
    /// <param name="stop">Cancels the work; the layer is half filled then, and can only be removed.</param>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/> was cancelled and the store refused the command for that.</exception>
    public Task<StoreProtocol.LayerFilled> FillAsync(
        LayerId layer, Stream tar, StoreProtocol.Expectations? expect = null, CancellationToken stop = default)
    {
        var ticket = TicketId.New();
        return FeedAsync(tar, ticket, FillFromAsync, stop);

        async Task<StoreProtocol.LayerFilled> FillFromAsync(BlobSource source)
        {
            try
            {
                var command = new StoreProtocol.Fill(layer, source, expect ?? new(), ticket, Channel.Holder);
                var filling = Channel.AskAsync<StoreProtocol.LayerFilled>(command, CancellationToken.None);
                using var cancellation = stop.Register(() => _ = CancelAsync([ticket], filling));
                return await filling.ConfigureAwait(false);
            }
            catch (StorageException e) when (e.Error.Code == StorageErrorCode.Cancelled && stop.IsCancellationRequested)
            {
                throw new OperationCanceledException(e.Message, e, stop);
            }
        }
    }

    /// <summary>Writes a layer's tar to a stream.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="target">Gets the bytes; not disposed.</param>
    /// <param name="from">What to compare with; the parent if not given.</param>
    /// <param name="compression">None, gzip or zstd.</param>
    /// <param name="whole">The whole tree, as if nothing were below the layer.</param>
    /// <param name="stop">Stops writing.</param>
    /// <param name="progress">Is told how it goes.</param>
    public async Task<StoreProtocol.DiffWritten> WriteDiffAsync(
        LayerId layer, Stream target, LayerId? from = null, LayerCompression compression = LayerCompression.None, bool whole = false, CancellationToken stop = default,
        IProgress<StagingProgress>? progress = null)
    {
        TicketId? ticket = progress is null ? null : TicketId.New();
        using var watch = ticket is { } known ? Channel.WatchProgress(known, progress!) : null;
        var download = await Channel.OpenDownloadAsync(stop).ConfigureAwait(false);
        await using var source = download.Stream.ConfigureAwait(false);
        var writing = Channel.AskAsync<StoreProtocol.DiffWritten>(
            new StoreProtocol.WriteDiff(layer, from, new BlobTarget(Download: download.Id), compression, whole, ticket), stop);
        var copying = download.Stream.CopyToAsync(target, 1 << 20, stop);
        if (await Task.WhenAny(writing, copying).ConfigureAwait(false) == writing) await writing.ConfigureAwait(false);
        await copying.ConfigureAwait(false);
        return await writing.ConfigureAwait(false);
    }

    /// <summary>Sends a stream to the store while a command reads it.</summary>
    private async Task<TReply> FeedAsync<TReply>(Stream tar, TicketId ticket, Func<BlobSource, Task<TReply>> read, CancellationToken stop)
    {
        var upload = await Channel.OpenUploadAsync(stop).ConfigureAwait(false);
        await using var uploading = upload.Stream.ConfigureAwait(false);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var feeding = CopyAsync(tar, upload.Stream, ended.Token);
        var reading = read(BlobSource.FromUpload(upload.Id));
        await Task.WhenAny(feeding, reading).ConfigureAwait(false);
        if (feeding.IsFaulted)
        {
            // The caller's stream broke: the extraction ends before the upload does, or what was sent would pass for the whole.
            await CancelAsync([ticket], reading).ConfigureAwait(false);
            await ((Task)reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await feeding.ConfigureAwait(false);
        }

        try
        {
            return await reading.ConfigureAwait(false);
        }
        finally
        {
            await ended.CancelAsync().ConfigureAwait(false);
            await feeding.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task CopyAsync(Stream tar, Stream upload, CancellationToken stop)
    {
        var buffer = new byte[256 * 1024];
        int read;
        while ((read = await tar.ReadAsync(buffer, stop).ConfigureAwait(false)) > 0)
        {
            try
            {
                await upload.WriteAsync(buffer.AsMemory(0, read), stop).ConfigureAwait(false);
            }
            catch (IOException)
            {
                return; // The store stopped reading; its reply says why.
            }
        }

        await upload.DisposeAsync().ConfigureAwait(false); // The end of the blob.
    }

    /// <summary>
    /// Cancels what works on these tickets, or ended by itself. A store at the other end of a socket may hear of the cancelling before it hears of the work, and then
    /// knows no such ticket: it is told again, until the work has ended.
    /// </summary>
    private async Task CancelAsync(IEnumerable<TicketId> tickets, Task work)
    {
        foreach (var ticket in tickets)
        {
            while (!work.IsCompleted && !await TryCancelAsync(ticket).ConfigureAwait(false))
                await Task.WhenAny(work, Task.Delay(BetweenCancels)).ConfigureAwait(false);
        }
    }

    private async Task<bool> TryCancelAsync(TicketId ticket)
    {
        try
        {
            await Channel.AskAsync<StoreProtocol.CancelAccepted>(new StoreProtocol.Cancel(ticket)).ConfigureAwait(false);
            return true;
        }
        catch (StorageException)
        {
            return false;
        }
    }
}
