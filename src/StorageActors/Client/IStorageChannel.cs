using Akka.Actor;
using StorageActors.Protocol;

namespace StorageActors.Client;

/// <summary>
/// The way to one store: in this process, or on a node behind a socket. It carries commands and their replies, streams, and progress; what the
/// commands mean is the protocol's matter alone.
/// </summary>
public interface IStorageChannel : IAsyncDisposable
{
    /// <summary>
    /// The actor in whose name leases are taken through this channel: when it ends, they end. None on a channel to another process, whose leases
    /// last until they are released.
    /// </summary>
    IActorRef? Holder { get; }

    /// <summary>Sends a command and waits for its one reply.</summary>
    /// <typeparam name="TReply">The reply that the command is documented to have.</typeparam>
    /// <param name="command">The command.</param>
    /// <param name="stop">Gives up waiting. A command that has side effects may be carried out all the same.</param>
    /// <exception cref="StorageException">The store refused.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/> was cancelled first.</exception>
    Task<TReply> AskAsync<TReply>(StoreProtocol.ICommand command, CancellationToken stop = default) where TReply : StoreProtocol.IReply;

    /// <summary>
    /// Opens a stream whose bytes the store reads when a command names it as its source. Write, then dispose: that is the end of the blob.
    /// Writing fails with <see cref="IOException"/> once the store has stopped reading; the command's reply says why.
    /// </summary>
    /// <param name="stop">Gives up.</param>
    Task<OpenTransfer> OpenUploadAsync(CancellationToken stop = default);

    /// <summary>Opens a stream from which the bytes are read that the store writes when a command names it as its target. Dispose it in any case.</summary>
    /// <param name="stop">Gives up.</param>
    Task<OpenTransfer> OpenDownloadAsync(CancellationToken stop = default);

    /// <summary>Reports the progress of one extraction until the result is disposed. Watch before the command is sent.</summary>
    /// <param name="ticket">The extraction.</param>
    /// <param name="observer">Is called from any thread.</param>
    IDisposable WatchProgress(TicketId ticket, IProgress<StagingProgress> observer);
}

/// <summary>An open stream and the name by which a command refers to it.</summary>
/// <param name="Id">The name.</param>
/// <param name="Stream">This side of the stream.</param>
public sealed record OpenTransfer(TransferId Id, Stream Stream);

/// <summary>Streams between a host and the extractions and diffs of an engine in the same process.</summary>
public interface ITransfers
{
    /// <summary>Opens a stream that the host writes to.</summary>
    OpenTransfer OpenUpload();

    /// <summary>Opens a stream that the host reads from.</summary>
    OpenTransfer OpenDownload();
}
