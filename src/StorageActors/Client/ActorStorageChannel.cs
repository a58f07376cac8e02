using Akka.Actor;
using StorageActors.Dispatching;
using StorageActors.Protocol;

namespace StorageActors.Client;

/// <summary>The way to a store in this process: commands are asked of its supervisor, streams go through its transfers.</summary>
public sealed class ActorStorageChannel : IStorageChannel
{
    /// <summary>For an answer that is on its way when the store is seen to end.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    private readonly ActorSystem _system;
    private readonly IActorRef _store;
    private readonly ITransfers _transfers;
    private readonly IActorRef _holder;
    private readonly CancellationTokenSource _ended = new();
    private readonly CancellationToken _terminated;
    private EngineThreads? _threads;

    /// <summary>Opens a channel. Disposing it ends every lease taken through it; the store and the system stay.</summary>
    /// <param name="system">The system of the store.</param>
    /// <param name="store">The store's supervisor.</param>
    /// <param name="transfers">The store's transfers.</param>
    public ActorStorageChannel(ActorSystem system, IActorRef store, ITransfers transfers)
    {
        (_system, _store, _transfers) = (system, store, transfers);
        _holder = system.ActorOf(ChannelHolder.Props(store, _ended));
        _terminated = Question.EndOf(system);
    }

    /// <inheritdoc/>
    public IActorRef? Holder => _holder;

    /// <inheritdoc/>
    public async Task<TReply> AskAsync<TReply>(StoreProtocol.ICommand command, CancellationToken stop = default)
        where TReply : StoreProtocol.IReply
    {
        stop.ThrowIfCancellationRequested();
        var question = new Question(_system, _threads ??= EngineThreadsConfigurator.Find(_system));
        using var givingUp = stop.UnsafeRegister(static question => ((Question)question!).GiveUp(), question);
        // A store answers all that has reached it before it ends; what is not answered soon after came later.
        using var ending = _ended.Token.UnsafeRegister(static question => ((Question)question!).GiveUpAfter(Grace), question);
        using var terminating = _terminated.UnsafeRegister(static question => ((Question)question!).GiveUpAfter(Grace), question);
        _store.Tell(command, question);
        return await question.Answer.ConfigureAwait(false) switch
        {
            TReply expected => expected,
            null => throw new StorageException(new StorageError(StorageErrorCode.ShuttingDown, command.GetType().Name, "the engine has stopped")),
            StoreProtocol.Refused refused => throw new StorageException(refused.Error),
            Status.Failure failure => throw Unexpected(command, failure.Cause.Message, failure.Cause),
            var other => throw Unexpected(command, $"answered {other.GetType().Name}, not {typeof(TReply).Name}", null),
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

    /// <summary>Lends its life to leases, and says when the store has ended.</summary>
    private sealed class ChannelHolder : ReceiveActor
    {
        public ChannelHolder(IActorRef store, CancellationTokenSource ended)
        {
            Context.Watch(store);
            Receive<Terminated>(_ => ended.Cancel());
        }

        public static Props Props(IActorRef store, CancellationTokenSource ended) => EngineProps.Of(() => new ChannelHolder(store, ended));
    }

    /// <summary>Hands progress events of one ticket to an observer.</summary>
    private sealed class ProgressRelay : ReceiveActor
    {
        public ProgressRelay(TicketId ticket, IProgress<StagingProgress> observer) =>
            Receive<StagingProgress>(progress => progress.Ticket == ticket, observer.Report);

        public static Props Props(TicketId ticket, IProgress<StagingProgress> observer) =>
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
