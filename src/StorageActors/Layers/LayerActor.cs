using Akka.Actor;
using Akka.Event;
using Akka.Persistence;
using Akka.Serialization;
using StorageActors.Dispatching;
using StorageActors.Drivers;
using StorageActors.DriverOperations;
using StorageActors.Journal;
using StorageActors.Protocol;
using StorageActors.Store;

namespace StorageActors.Layers;

/// <summary>
/// Owns one layer's mount and leases. The first lease mounts, the last release unmounts, in mailbox order: what must wait for a driver's answer waits in
/// the stash, and what comes after it, too. The states are in the other parts of this class; what may happen in each is decided by <see cref="LayerState"/>.
/// <list type="bullet">
/// <item>A lease is granted when it is in memory; the journal follows, if the lease outlives the engine. If the journal fails, Akka stops this actor, and its parent starts another one with the
/// leases that it knows and the commands that were not answered.</item>
/// <item>The last release that finds the mount busy is refused, and the lease stays: the caller ends what keeps it busy and releases again. When the last
/// holder dies instead, the mount lingers without leases; it is tried again from time to time, and the next lease may use it.</item>
/// <item>After a restart the kernel is asked what is mounted. A mount that nobody holds is unmounted; leases whose mount is gone get it back, with the
/// options of the oldest.</item>
/// </list>
/// </summary>
internal sealed partial class LayerActor : PersistentActor, IWithTimers
{
    private const int MostIdleHolders = 8;

    private LayerSetup _setup;
    private readonly LayerEnvironment _environment;
    private readonly IReadOnlyList<LeaseEvent.Granted>? _remembered;
    private readonly Dictionary<IActorRef, HashSet<LeaseId>> _holders = [];   // who is watched, with what he holds
    private readonly Dictionary<long, Action<DriverProtocol.IReply>> _queries = [];
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private Behavior<LayerActor> _behavior = Starting;
    private LayerState _state;
    private long _attempt;

    public LayerActor(LayerSetup setup, LayerEnvironment environment, IReadOnlyList<LeaseEvent.Granted>? remembered)
    {
        (_setup, _environment, _remembered) = (setup, environment, remembered);
        if (environment.JournalPluginId is { } journal) JournalPluginId = journal;
        if (environment.SnapshotPluginId is { } snapshots) SnapshotPluginId = snapshots;
        _state = _journaled = new LayerState(setup.Id, setup.Kind, setup.Damage) { OwnIds = setup.Location.Ids };
    }

    public override string PersistenceId => _setup.PersistenceId;

    public ITimerScheduler Timers { get; set; } = null!;

    private LayerId Id => _setup.Id;

    /// <param name="setup">The layer.</param>
    /// <param name="environment">What it works with.</param>
    /// <param name="remembered">Leases that an earlier actor of this layer held when it stopped without wanting to; they stand in for the journal.</param>
    internal static Props Props(LayerSetup setup, LayerEnvironment environment, IReadOnlyList<LeaseEvent.Granted>? remembered) =>
        EngineProps.Of(() => new LayerActor(setup, environment, remembered));

    protected override bool ReceiveCommand(object message) => _behavior.TryHandle(this, message);

    protected override bool ReceiveRecover(object message)
    {
        switch (message)
        {
            case SnapshotOffer offer:
                Recovered((LeaseEvent.Snapshot)offer.Snapshot);
                return true;
            case IJournalEvent happened:
                Recovered(happened);
                return true;
            case RecoveryCompleted:
                LookForMount();
                return true;
            default:
                return false;
        }
    }

    protected override void OnPersistFailure(Exception cause, object @event, long sequenceNr)
    {
        _log.Error(cause, "layer {0}: the journal failed; leases are kept in memory until it works again", Id);
        Context.Parent.Tell(new LayerInternal.JournalFailed(Id, cause.Message));
    }

    /// <summary>A state in which it serves: what waited gets its turn.</summary>
    private void Enter(Behavior<LayerActor> state)
    {
        Rest(state);
        _isQueueing = false;
        if (state == Unmounted) Context.SetReceiveTimeout(_environment.IdleTimeout);
        WatchTerms();
        if (_state.IsLingering) Timers.StartPeriodicTimer(RetryUnmount.Instance, RetryUnmount.Instance, _environment.LingerRetry);
        Stash.UnstashAll();
    }

    /// <summary>A state in which it waits for no answer.</summary>
    private void Rest(Behavior<LayerActor> state)
    {
        _attempt = 0;
        Context.SetReceiveTimeout(null);
        _behavior = state;
    }

    /// <summary>Has the driver do what this actor waits for now; answers to earlier attempts are void.</summary>
    private void Perform(DriverOperation operation)
    {
        Context.SetReceiveTimeout(null);
        _attempt = DriverProtocol.NextAttempt();
        _environment.Operations.Tell(new DriverProtocol.Perform(_attempt, operation));
    }

    private static bool IsCurrent(LayerActor layer, DriverProtocol.IReply reply) => reply.Attempt == layer._attempt;

    /// <summary>Has the driver answer something that changes nothing, in whatever state this actor is.</summary>
    private void Query(DriverOperation operation, Action<DriverProtocol.IReply> answer)
    {
        var attempt = DriverProtocol.NextAttempt();
        _queries.Add(attempt, answer);
        _environment.Operations.Tell(new DriverProtocol.Perform(attempt, operation));
    }

    /// <summary>Before any answer: who has one may ask at once what is mounted.</summary>
    private void Show()
    {
        var (mounts, leases) = _environment.Mounts.Note(new MountChange(Id, _state.Record, _state.Leases));
        _environment.Metrics.MountsChanged(mounts, leases);
    }

    private void Watch(LeaseId lease, IActorRef? holder)
    {
        if (holder is null) return;
        if (!_holders.TryGetValue(holder, out var leases))
        {
            _holders.Add(holder, leases = []);
            if (!holder.Equals(_holdBy)) Context.Watch(holder);
        }

        leases.Add(lease);
    }

    private void Unwatch(LeaseId lease)
    {
        foreach (var leases in _holders.Values) leases.Remove(lease);
        UnwatchIdle();
    }

    private void UnwatchAll()
    {
        foreach (var leases in _holders.Values) leases.Clear();
        UnwatchIdle();
    }

    /// <summary>
    /// Of those who hold nothing any more a few are watched on, since most come again: to watch and to unwatch one takes two messages to him. Watched without a message of our
    /// own: what Akka stashes is its own notice, which comes out of the stash as that and as nothing else.
    /// </summary>
    private void UnwatchIdle()
    {
        if (_holders.Count <= MostIdleHolders) return;
        foreach (var holder in _holders.Where(static pair => pair.Value.Count == 0).Select(static pair => pair.Key).Skip(MostIdleHolders).ToList())
        {
            _holders.Remove(holder);
            if (!holder.Equals(_holdBy)) Context.Unwatch(holder);
        }
    }

    private static string OwnerOf(LayerProtocol.Acquire command) =>
        command.Holder is { } holder ? Serialization.SerializedActorPath(holder) : command.Owner?.Value ?? LeaseEvent.ExternalOwner;

    private static IActorRef? HolderOf(LeaseEvent.Granted lease) => !lease.IsActors ? null
        : ((ExtendedActorSystem)Context.System).Provider.ResolveActorRef(lease.Owner);

    /// <summary>Try again to unmount what nobody holds.</summary>
    private sealed record RetryUnmount
    {
        internal static readonly RetryUnmount Instance = new();
    }
}
