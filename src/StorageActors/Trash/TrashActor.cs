using Akka.Actor;
using Akka.Event;
using StorageActors.Drivers;
using StorageActors.DriverOperations;
using StorageActors.Protocol;
using StorageActors.Store;

namespace StorageActors.Trash;

/// <summary>
/// Deletes what was renamed away: one tree at a time, on a thread of low priority, oldest first. What cannot be deleted now is kept, said once as a warning, and
/// tried again with each sweep. Nothing is remembered but what the directory shows, so a crash loses nothing.
/// </summary>
internal sealed class TrashActor : ReceiveActor, IWithTimers
{
    private readonly IActorRef _operations;
    private readonly StoreMetrics _metrics;
    private readonly TimeSpan _period;
    private readonly Dictionary<string, Tree> _trees = new(StringComparer.Ordinal);
    private readonly Queue<(DriverOperation Operation, Action<DriverProtocol.IReply> Answer)> _errands = new();
    private readonly List<IActorRef> _waitingForEmpty = [];
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private Action<DriverProtocol.IReply>? _answer;
    private long _attempt;
    private long _order;

    public TrashActor(IActorRef operations, StoreMetrics metrics, TimeSpan period)
    {
        (_operations, _metrics, _period) = (operations, metrics, period);
        Receive<TrashProtocol.Collect>(command => Add(command.Path));
        Receive<TrashProtocol.SweepStaging>(command => Sweep(command.AtStart, Sender));
        Receive<TrashProtocol.GetBacklog>(_ => Sender.Tell(new TrashProtocol.Backlog(_trees.Count, _trees.Values.Sum(static tree => tree.Bytes ?? 0))));
        Receive<TrashProtocol.Empty>(_ => Empty(Sender));
        Receive<Tick>(_ =>
        {
            Sweep(atStart: false, ActorRefs.Nobody);
            Look();
        });
        Receive<DriverProtocol.IReply>(reply => Continue(reply), reply => reply.Attempt == _attempt);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <param name="operations">The driver operations' supervisor.</param>
    /// <param name="metrics">Is told the backlog.</param>
    /// <param name="period">How often it sweeps by itself.</param>
    internal static Props Props(IActorRef operations, StoreMetrics metrics, TimeSpan period) =>
        Akka.Actor.Props.Create(() => new TrashActor(operations, metrics, period));

    protected override void PreStart()
    {
        Timers.StartPeriodicTimer(Tick.Instance, Tick.Instance, _period);
        Look();
    }

    /// <summary>Puts what lies in the trash on the list, and what failed before with it.</summary>
    private void Look() => Do(new ListTrash(), reply =>
    {
        if (reply is not DriverProtocol.Completed<IReadOnlyList<string>> listed) return;
        foreach (var tree in _trees.Values) tree.HasFailed = false;
        foreach (var path in listed.Result) Add(path);
    });

    private void Sweep(bool atStart, IActorRef requester) => Do(new SweepStagings(atStart), reply =>
    {
        if (reply is DriverProtocol.Failed failed)
        {
            _log.Warning("stale stagings could not be swept: {0}", failed.Error);
            requester.Tell(new StoreProtocol.Refused(failed.Error));
            return;
        }

        var swept = ((DriverProtocol.Completed<IReadOnlyList<string>>)reply).Result;
        if (swept.Count > 0) _log.Info("stagings of a dead owner were moved to the trash: {0}", string.Join(", ", swept));
        requester.Tell(new TrashProtocol.Swept(swept));
        if (swept.Count > 0) Look();
    });

    private void Empty(IActorRef requester)
    {
        _waitingForEmpty.Add(requester);
        Look();
    }

    private void Add(string? path)
    {
        if (path is null) return;
        if (_trees.TryAdd(path, new Tree(++_order))) Report();
        Next();
    }

    private void Do(DriverOperation operation, Action<DriverProtocol.IReply> answer)
    {
        _errands.Enqueue((operation, answer));
        Next();
    }

    /// <summary>One operation at a time: errands first, then measuring, so that the backlog is known, then deleting.</summary>
    private void Next()
    {
        if (_answer is not null) return;
        if (_errands.TryDequeue(out var errand))
        {
            Perform(errand.Operation, errand.Answer);
            return;
        }

        var trees = _trees.Where(static pair => !pair.Value.HasFailed).OrderBy(static pair => pair.Value.Order).ToList();
        if (trees.Find(static pair => pair.Value.Bytes is null) is { Key: { } unmeasured } measured)
        {
            Perform(new MeasureTrash(unmeasured), reply => measured.Value.Bytes = reply is DriverProtocol.Completed<ContentUsage> usage ? usage.Result.Bytes : 0);
        }
        else if (trees.Count > 0)
        {
            Perform(new DeleteTrash(trees[0].Key), reply => Deleted(trees[0].Key, reply));
        }
        else
        {
            foreach (var requester in _waitingForEmpty) requester.Tell(new TrashProtocol.Emptied(_trees.Count));
            _waitingForEmpty.Clear();
        }
    }

    private void Perform(DriverOperation operation, Action<DriverProtocol.IReply> answer)
    {
        (_attempt, _answer) = (DriverProtocol.NextAttempt(), answer);
        _operations.Tell(new DriverProtocol.Perform(_attempt, operation));
    }

    private void Continue(DriverProtocol.IReply reply)
    {
        var answer = _answer!;
        _answer = null;
        answer(reply);
        Report();
        Next();
    }

    private void Deleted(string path, DriverProtocol.IReply reply)
    {
        if (reply is not DriverProtocol.Failed failed)
        {
            _trees.Remove(path);
            return;
        }

        var tree = _trees[path];
        if (!tree.WasReported) _log.Warning("{0} cannot be deleted yet: {1}", path, failed.Error);
        (tree.HasFailed, tree.WasReported) = (true, true);
    }

    private void Report() => _metrics.TrashBacklog(_trees.Count, _trees.Values.Sum(static tree => tree.Bytes ?? 0));

    /// <summary>A tree to be deleted; the actor's own, changed by it alone.</summary>
    private sealed class Tree(long order)
    {
        internal long Order { get; } = order;

        internal long? Bytes { get; set; }

        /// <summary>Not to be tried before the next sweep.</summary>
        internal bool HasFailed { get; set; }

        internal bool WasReported { get; set; }
    }

    private sealed record Tick
    {
        internal static readonly Tick Instance = new();
    }
}
