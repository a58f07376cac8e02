using Akka.Actor;
using StorageActors.Protocol;

namespace StorageActors.Client;

/// <summary>The way to a store in this process: commands are asked of its supervisor, streams go through its transfers.</summary>
public sealed class ActorStorageChannel : IStorageChannel
{
    private readonly ActorSystem _system;
    private readonly IActorRef _store;
    private readonly ITransfers _transfers;
    private readonly IActorRef _holder;

    /// <summary>Opens a channel. Disposing it ends every lease taken through it; the store and the system stay.</summary>
    /// <param name="system">The system of the store.</param>
    /// <param name="store">The store's supervisor.</param>
    /// <param name="transfers">The store's transfers.</param>
    public ActorStorageChannel(ActorSystem system, IActorRef store, ITransfers transfers)
    {
        (_system, _store, _transfers) = (system, store, transfers);
        _holder = system.ActorOf(ProgressRelay.Props());
    }

    /// <inheritdoc/>
    public IActorRef? Holder => _holder;

    /// <inheritdoc/>
    public async Task<TReply> AskAsync<TReply>(StoreProtocol.ICommand command, CancellationToken stop = default)
        where TReply : StoreProtocol.IReply
    {
        stop.ThrowIfCancellationRequested();
        var reply = await _store.Ask<object>(command, timeout: null, stop).ConfigureAwait(false);
        return reply switch
        {
            TReply expected => expected,
            StoreProtocol.Refused refused => throw new StorageException(refused.Error),
            Status.Failure failure => throw Unexpected(command, failure.Cause.Message, failure.Cause),
            _ => throw Unexpected(command, $"answered {reply.GetType().Name}, not {typeof(TReply).Name}", null),
        };
    }

    /// <inheritdoc/>
    public Task<OpenTransfer> OpenUploadAsync(CancellationToken stop = default) => Task.FromResult(_transfers.OpenUpload());

    /// <inheritdoc/>
    public Task<OpenTransfer> OpenDownloadAsync(CancellationToken stop = default) => Task.FromResult(_transfers.OpenDownload());

    /// <inheritdoc/>
    public IDisposable WatchProgress(TicketId ticket, IProgress<StagingProgress> observer)
    {
        var relay = _system.ActorOf(ProgressRelay.Props(ticket, observer));
        _system.EventStream.Subscribe(relay, typeof(StagingProgress));
        return new Subscription(_system, relay);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _system.Stop(_holder);
        return ValueTask.CompletedTask;
    }

    private static StorageException Unexpected(StoreProtocol.ICommand command, string what, Exception? inner) =>
        new(new StorageError(StorageErrorCode.Internal, command.GetType().Name, what), inner);

    /// <summary>Hands progress events of one ticket to an observer; without one it only lends its life to leases.</summary>
    private sealed class ProgressRelay : ReceiveActor
    {
        public ProgressRelay(TicketId? ticket, IProgress<StagingProgress>? observer) =>
            Receive<StagingProgress>(progress => progress.Ticket == ticket, progress => observer?.Report(progress));

        public static Props Props(TicketId? ticket = null, IProgress<StagingProgress>? observer = null) =>
            Akka.Actor.Props.Create(() => new ProgressRelay(ticket, observer));

        protected override void Unhandled(object message)
        {
            // Every subscriber sees the events of every ticket; those of others are not worth a dead letter.
        }
    }

    private sealed class Subscription(ActorSystem system, IActorRef relay) : IDisposable
    {
        public void Dispose()
        {
            system.EventStream.Unsubscribe(relay);
            system.Stop(relay);
        }
    }
}
