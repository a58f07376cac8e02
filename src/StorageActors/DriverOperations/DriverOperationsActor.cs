using System.Runtime.InteropServices;
using Akka.Actor;
using StorageActors.Dispatching;
using StorageActors.Drivers;
using StorageActors.Protocol;
using static StorageActors.DriverOperations.DriverOperationActor;

namespace StorageActors.DriverOperations;

/// <summary>
/// Has blocking operations run, by a child each, and answers for them: what restarts a child, and how often, stands in <see cref="Table"/>. Children whose short operation worked at
/// once stay for the next one: to make an actor, watch it and stop it takes as long as a tenth of a mount. One that has ever failed does not. Operations
/// that change the same layer wait for each other here, so that even a requester that was restarted cannot have two of them run at once.
/// </summary>
internal sealed class DriverOperationsActor : ReceiveActor, IWithTimers
{
    /// <summary>What an exception of an operation leads to. A child that has failed gets no other operation, so its restarts are counted over its whole life.</summary>
    internal static readonly IDecider Table = Decider.From(
        Directive.Stop,                                          // a defect: logged with its stack by the child, refused as internal
        Directive.Restart.When<TransientDriverException>(),      // EBUSY and its like: again, after a pause
        Directive.Stop.When<PermanentDriverException>(),         // refused
        Directive.Escalate.When<StoreCorruptException>());       // the store stops serving

    /// <summary>So many stay when there is nothing to do: as many as short calls run at a time, unless the configuration says otherwise.</summary>
    private const int MostIdle = 4;

    private readonly DriverServices _services;
    private readonly RetryPolicy _retries;
    private readonly Dictionary<long, Entry> _entries = [];
    private readonly List<IActorRef> _idle = [];
    private readonly Dictionary<LayerId, Queue<Entry>?> _turns = [];   // whose operation runs, with those that wait behind it
    private readonly HashSet<IActorRef> _requesters = [];   // watched until they end: most come again
    private readonly CancellationTokenSource _end = new();
    private long _keys;

    public DriverOperationsActor(DriverServices services, RetryPolicy retries)
    {
        (_services, _retries) = (services, retries);
        // Children stop before their parent does, and blocked ones not at all: one that never blocks is the first to know.
        var end = _end;
        Context.ActorOf(EngineProps.Of(() => new Sentinel(end)));
        Receive<DriverProtocol.Perform>(Accept);
        Receive<DriverProtocol.Cancel>(command => Cancel(entry => entry.Attempt == command.Attempt && entry.Requester.Equals(Sender)));
        Receive<Succeeded>(done => Answer(done.Key, done.Reply));
        Receive<AttemptFailed>(failed => _entries.GetValueOrDefault(failed.Key)?.Note(failed.Error));
        Receive<Restarted>(_ => Pause(Sender));
        Receive<PauseOver>(over => Resume(over.Key));
        Receive<Ended>(ended =>
        {
            if (!_idle.Remove(ended.Child) && FindEntry(ended.Child) is { } entry) Answer(entry.Key, null);
        });
        Receive<RequesterGone>(gone =>
        {
            _requesters.Remove(gone.Requester);
            Cancel(entry => entry.Requester.Equals(gone.Requester));
        });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    internal static Props Props(DriverServices services, RetryPolicy retries) =>
        EngineProps.Of(() => new DriverOperationsActor(services, retries));

    protected override SupervisorStrategy SupervisorStrategy() =>
        new OneForOneStrategy(_retries.MaximumRetries, Timeout.Infinite, Table, loggingEnabled: false);

    protected override void PostStop()
    {
        foreach (var entry in _entries.Values)
        {
            entry.Requester.Tell(new DriverProtocol.Failed(entry.Attempt, entry.Error ?? Stopping(entry.Operation)));
            entry.Stop.Dispose();
        }

        _end.Dispose();
    }

    private void Accept(DriverProtocol.Perform command)
    {
        var entry = new Entry(++_keys, command.Attempt, command.Operation, Sender, _end.Token);
        if (_requesters.Add(entry.Requester)) Context.WatchWith(entry.Requester, new RequesterGone(entry.Requester));
        _entries.Add(entry.Key, entry);
        if (entry.Operation.Turn is not { } layer)
        {
            Start(entry);
        }
        else
        {
            ref var waiting = ref CollectionsMarshal.GetValueRefOrAddDefault(_turns, layer, out var isTaken);
            if (isTaken) (waiting ??= new Queue<Entry>()).Enqueue(entry);
            else Start(entry);
        }
    }

    private void Start(Entry entry)
    {
        entry.Child = TakeChild(entry.Operation.Lane);
        Give(entry);
    }

    private void Give(Entry entry) => entry.Child!.Tell(new Job(entry.Key, entry.Attempt, entry.Operation, _services, entry.Stop.Token));

    private IActorRef TakeChild(OperationLane lane)
    {
        if (lane == OperationLane.Short && _idle.Count > 0)
        {
            var idle = _idle[^1];
            _idle.RemoveAt(_idle.Count - 1);
            return idle;
        }

        var child = Context.ActorOf(DriverOperationActor.Props(lane));
        return Context.WatchWith(child, new Ended(child));
    }

    /// <summary>Its operation is done.</summary>
    private void Release(Entry entry)
    {
        if (entry.Operation.Lane == OperationLane.Short && entry.Failures == 0 && _idle.Count < MostIdle)
        {
            _idle.Add(entry.Child!);
            return;
        }

        Context.Unwatch(entry.Child!); // Nobody is to look for what it had.
        Context.Stop(entry.Child!);
    }

    /// <summary>What a child runs, or pauses with.</summary>
    private Entry? FindEntry(IActorRef child) => _entries.Values.FirstOrDefault(entry => child.Equals(entry.Child));

    private void Pause(IActorRef child)
    {
        if (FindEntry(child) is not { } entry) return;
        entry.IsPaused = true;
        // Nobody waits for what nobody wants any more.
        if (entry.Stop.IsCancellationRequested) Resume(entry.Key);
        else Timers.StartSingleTimer(entry.Key, new PauseOver(entry.Key), _retries.PauseBefore(entry.Failures, Random.Shared.NextDouble()));
    }

    private void Resume(long key)
    {
        if (!_entries.TryGetValue(key, out var entry) || !entry.IsPaused) return;
        entry.IsPaused = false;
        Timers.Cancel(key);
        Give(entry);
    }

    /// <summary>With no reply the child ended without success; what it last said is the answer.</summary>
    private void Answer(long key, DriverProtocol.IReply? reply)
    {
        if (!_entries.Remove(key, out var entry)) return;
        if (reply is not null) Release(entry);
        if (entry.Failures > 0) Timers.Cancel(key);
        entry.Requester.Tell(reply ?? new DriverProtocol.Failed(entry.Attempt, entry.FinalError() ?? Stopping(entry.Operation)));
        entry.Stop.Dispose();
        if (entry.Operation.Turn is not { } layer) return;
        if (_turns[layer] is { } waiting && waiting.TryDequeue(out var next)) Start(next);
        else _turns.Remove(layer);
    }

    private void Cancel(Func<Entry, bool> chosen)
    {
        foreach (var entry in _entries.Values.Where(chosen).ToList())
        {
            entry.Stop.Cancel();
            Resume(entry.Key);
        }
    }

    private static StorageError Stopping(DriverOperation operation) =>
        new(StorageErrorCode.ShuttingDown, operation.Verb, "the engine is stopping");

    /// <summary>An operation that is running or waits for its turn; the actor's own, changed by it alone.</summary>
    private sealed class Entry(long key, long attempt, DriverOperation operation, IActorRef requester, CancellationToken end)
    {
        internal long Key { get; } = key;

        internal long Attempt { get; } = attempt;

        internal DriverOperation Operation { get; } = operation;

        internal IActorRef Requester { get; } = requester;

        internal CancellationTokenSource Stop { get; } = CancellationTokenSource.CreateLinkedTokenSource(end);

        /// <summary>Who runs it; null while it waits for its turn.</summary>
        internal IActorRef? Child { get; set; }

        /// <summary>Whether the child waits for its next attempt.</summary>
        internal bool IsPaused { get; set; }

        internal int Failures { get; private set; }

        internal StorageError? Error { get; private set; }

        internal void Note(StorageError error) => (Error, Failures) = (error, Failures + 1);

        internal StorageError? FinalError() =>
            Failures > 1 ? Error! with { Message = $"{Error.Message} (tried {Failures} times)" } : Error;
    }

    /// <summary>Cancels everything when it is stopped, which is when its parent is.</summary>
    private sealed class Sentinel(CancellationTokenSource end) : ReceiveActor
    {
        protected override void PostStop() => end.Cancel();
    }

    private sealed record PauseOver(long Key);

    private sealed record Ended(IActorRef Child) : INoSerializationVerificationNeeded;

    private sealed record RequesterGone(IActorRef Requester);
}
