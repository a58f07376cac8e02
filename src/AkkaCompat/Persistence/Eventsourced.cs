using System.Collections.Immutable;
using Akka.Actor;
using Akka.Event;

namespace Akka.Persistence;

/// <summary>An actor whose state is the fold of its stored events.</summary>
/// <remarks>This file holds what actors call; the phases are in the other two: recovery, then commands.</remarks>
public abstract partial class Eventsourced : ActorBase, IPersistentIdentity, IPersistenceStash, IPersistenceRecovery
{
    private static int _lastInstanceId;

    /// <summary>Tells the replies to this incarnation from late replies to an earlier one.</summary>
    private readonly int _instanceId = Interlocked.Increment(ref _lastInstanceId);
    private readonly string _writerGuid = Guid.NewGuid().ToString();
    private readonly IStash _internalStash;
    private IStash _userStash = null!;
    private PersistentStash _stash = null!;
    private PersistenceExtension.Plugin? _journalPlugin;
    private IActorRef? _snapshotStore;
    private ILoggingAdapter? _log;

    /// <summary>The number given to the newest event, which may not be stored yet.</summary>
    private long _sequenceNr;

    protected Eventsourced()
    {
        Extension = Persistence.Instance.Apply(Context.System);
        _internalStash = Context.CreateStash(GetType());
        _phase = WaitingForPermit;
    }

    protected readonly PersistenceExtension Extension;

    /// <summary>Names this actor's events in the journal; must stay the same over its restarts.</summary>
    public abstract string PersistenceId { get; }

    /// <summary>What recovery reads; override to limit it.</summary>
    public virtual Recovery Recovery => Recovery.Default;

    /// <summary>The stash for the actor's own use. What it releases comes before what persistence holds back.</summary>
    public IStash Stash
    {
        get => _stash;
        set => (_userStash, _stash) = (value, new PersistentStash(value, _internalStash));
    }

    /// <summary>Configuration path of the journal; the default one if null.</summary>
    public string? JournalPluginId { get; protected set; }

    /// <summary>Configuration path of the snapshot store; the default one if null.</summary>
    public string? SnapshotPluginId { get; protected set; }

    public IActorRef Journal => JournalPlugin.Ref;

    public IActorRef SnapshotStore => _snapshotStore ??= Extension.SnapshotStoreFor(SnapshotPluginId);

    public string SnapshotterId => PersistenceId;

    /// <summary>The number of the newest event that this actor has seen stored or replayed.</summary>
    public long LastSequenceNr { get; private set; }

    public long SnapshotSequenceNr => LastSequenceNr;

    /// <summary>True until RecoveryCompleted is about to be given.</summary>
    public bool IsRecovering { get; private set; } = true;

    public bool IsRecoveryFinished => !IsRecovering;

    protected virtual ILoggingAdapter Log => _log ??= Context.GetLogger();

    /// <summary>Takes a snapshot offer, an event, or RecoveryCompleted; returns whether it did.</summary>
    protected abstract bool ReceiveRecover(object message);

    /// <summary>Takes a command; returns whether it did.</summary>
    protected abstract bool ReceiveCommand(object message);

    /// <summary>Stores an event, then calls the handler; no command is seen in between.</summary>
    public void Persist<TEvent>(TEvent @event, Action<TEvent> handler) => Append(@event, handler, stashing: true);

    /// <summary>Stores events together or not at all, then calls the handler for each; no command is seen in between.</summary>
    public void PersistAll<TEvent>(IEnumerable<TEvent>? events, Action<TEvent> handler)
    {
        EnsureRecovered();
        var all = events?.ToList() ?? [];
        if (all.Count > 0) Append(all, handler, stashing: true);
    }

    /// <summary>Stores an event and calls the handler later; commands are seen meanwhile.</summary>
    public void PersistAsync<TEvent>(TEvent @event, Action<TEvent> handler) => Append(@event, handler, stashing: false);

    /// <summary>Stores events together or not at all and calls the handler for each later; commands are seen meanwhile.</summary>
    public void PersistAllAsync<TEvent>(IEnumerable<TEvent> events, Action<TEvent> handler)
    {
        EnsureRecovered();
        Append(events.ToList(), handler, stashing: false);
    }

    /// <summary>Calls the handler after those of all events not stored yet: at once if there are none.</summary>
    public void DeferAsync<TEvent>(TEvent @event, Action<TEvent> handler)
    {
        EnsureRecovered();
        if (_pendingHandlers.Count == 0)
        {
            handler(@event);
            return;
        }
        _pendingHandlers.Enqueue(new PendingHandler(o => handler((TEvent)o), Stashing: false));
        _eventBatch.Add(new NonPersistentMessage(@event!, Sender));
    }

    public void LoadSnapshot(string persistenceId, SnapshotSelectionCriteria criteria, long toSequenceNr) =>
        SnapshotStore.Tell(new LoadSnapshot(persistenceId, criteria, toSequenceNr));

    /// <summary>Stores the state as of LastSequenceNr; answered to this actor.</summary>
    public void SaveSnapshot(object snapshot) => SnapshotStore.Tell(new SaveSnapshot(
        new SnapshotMetadata(SnapshotterId, SnapshotSequenceNr, Context.System.Scheduler.Now.UtcDateTime), snapshot));

    public void DeleteSnapshot(long sequenceNr) => SnapshotStore.Tell(new DeleteSnapshot(
        new SnapshotMetadata(SnapshotterId, sequenceNr, SnapshotMetadata.TimestampNotSpecified)));

    public void DeleteSnapshots(SnapshotSelectionCriteria criteria) =>
        SnapshotStore.Tell(new DeleteSnapshots(SnapshotterId, criteria));

    /// <summary>Deletes events up to and including the number; answered to this actor.</summary>
    public void DeleteMessages(long toSequenceNr)
    {
        if (toSequenceNr == long.MaxValue || toSequenceNr <= LastSequenceNr)
            Journal.Tell(new DeleteMessagesTo(PersistenceId, Math.Min(toSequenceNr, LastSequenceNr), Self));
        else
            Self.Tell(new DeleteMessagesFailure(new InvalidOperationException(
                $"toSequenceNr [{toSequenceNr}] must be at most the last sequence number [{LastSequenceNr}]"), toSequenceNr));
    }

    /// <summary>An event was not stored, or may not have been. The actor is stopped afterwards, whatever this does.</summary>
    protected virtual void OnPersistFailure(Exception cause, object @event, long sequenceNr) => Log.Error(cause,
        "Failed to persist event type [{0}] with sequence number [{1}] for persistenceId [{2}].",
        @event.GetType(), sequenceNr, PersistenceId);

    /// <summary>The journal refused an event, which is not stored. The actor goes on.</summary>
    protected virtual void OnPersistRejected(Exception cause, object @event, long sequenceNr) => Log.Error(cause,
        "Rejected to persist event type [{0}] with sequence number [{1}] for persistenceId [{2}] due to [{3}].",
        @event.GetType(), sequenceNr, PersistenceId, cause.Message);

    /// <summary>Recovery failed, on this message if it is not null. The actor is stopped afterwards, whatever this does.</summary>
    protected virtual void OnRecoveryFailure(Exception reason, object? message = null)
    {
        if (message is null)
            Log.Error(reason, "Persistence failure when replaying events for persistenceId [{0}]. Last known sequence number [{1}]",
                PersistenceId, LastSequenceNr);
        else
            Log.Error(reason, "Exception in ReceiveRecover when replaying event type [{0}] with sequence number [{1}] for persistenceId [{2}]",
                message.GetType(), LastSequenceNr, PersistenceId);
    }

    /// <summary>All events were replayed; RecoveryCompleted comes next.</summary>
    protected virtual void OnReplaySuccess() { }

    /// <summary>Runs a task as part of the command: nothing else is received until it ends.</summary>
    protected void RunTask(Func<Task> action)
    {
        _taskIsRunning = true;
        Dispatch.ActorTaskScheduler.RunTask(async () =>
        {
            var failed = true;
            try
            {
                await action();
                failed = false;
            }
            finally
            {
                _taskIsRunning = false;
                CommandProcessed(failed);
            }
        });
    }

    private PersistenceExtension.Plugin JournalPlugin => _journalPlugin ??= Extension.JournalPlugin(JournalPluginId);

    private void EnsureRecovered()
    {
        if (IsRecovering)
            throw new InvalidOperationException(
                "Cannot persist during replay. Events can be persisted when receiving RecoveryCompleted or later.");
    }

    private void Append<TEvent>(TEvent @event, Action<TEvent> handler, bool stashing)
    {
        EnsureRecovered();
        AddPending(handler, stashing);
        _eventBatch.Add(new AtomicWrite(Number(@event!)));
    }

    private void Append<TEvent>(List<TEvent> events, Action<TEvent> handler, bool stashing)
    {
        var write = new AtomicWrite(ImmutableList.CreateRange(events.Select(e => Number(e!))));
        events.ForEach(_ => AddPending(handler, stashing));
        _eventBatch.Add(write);
    }

    private void AddPending<TEvent>(Action<TEvent> handler, bool stashing)
    {
        _pendingHandlers.Enqueue(new PendingHandler(o => handler((TEvent)o), stashing));
        if (stashing) _pendingStashing++;
    }

    private IPersistentRepresentation Number(object @event) =>
        new Persistent(@event, ++_sequenceNr, PersistenceId, sender: Sender, writerGuid: _writerGuid);
}
