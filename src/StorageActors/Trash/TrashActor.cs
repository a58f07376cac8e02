using Akka.Actor;
using Akka.Event;
using StorageActors.Dispatching;
using StorageActors.Drivers;
using StorageActors.DriverOperations;
using StorageActors.Protocol;
using StorageActors.Store;

namespace StorageActors.Trash;

/// <summary>
/// Deletes what was renamed away: one tree at a time, on a thread of low priority, oldest first; the first of them a moment after it came. What cannot be deleted now is kept, said once as a
/// warning, and tried again with each sweep. Nothing is remembered but what the directory shows, so a crash loses nothing.
/// </summary>
internal sealed class TrashActor : ReceiveActor, IWithTimers
{
    /// <summary>To begin takes the processors, and the file system's journal, for as long as a removal takes; so the remover has his answer before, as a rule.</summary>
    private static readonly TimeSpan UsualPause = TimeSpan.FromMilliseconds(20);

    private readonly IActorRef _operations;
    private readonly StoreMetrics _metrics;
    private readonly TimeSpan _period;
    private readonly TimeSpan _pause;
    private readonly Dictionary<string, Tree> _trees = new(StringComparer.Ordinal);
    private readonly Queue<string> _toMeasure = new();
    private readonly Queue<string> _toDelete = new();
    private readonly Queue<(DriverOperation Operation, Action<DriverProtocol.IReply> Answer)> _errands = new();
    private readonly List<(IActorRef Requester, bool Tell)> _waitingForEmpty = [];
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private Action<DriverProtocol.IReply>? _answer;
    private long _attempt;
    private long _bytes;

    public TrashActor(IActorRef operations, StoreMetrics metrics, TimeSpan period, TimeSpan pause)
    {
        (_operations, _metrics, _period, _pause) = (operations, metrics, period, pause);
        Receive<TrashProtocol.Collect>(command =>
        {
            if (Add(command.Path) && _answer is null && !Timers.IsTimerActive(Begin.Instance)) Timers.StartSingleTimer(Begin.Instance, Begin.Instance, _pause);
        });
        Receive<Begin>(_ => Next());
        Receive<TrashProtocol.SweepStaging>(command => Sweep(command.AtStart, Sender, isSettled: true));
        Receive<TrashProtocol.GetBacklog>(_ => Sender.Tell(new TrashProtocol.Backlog(_trees.Count, _bytes)));
        Receive<TrashProtocol.Empty>(command => Empty(Sender, command.Tell));
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
    /// <param name="pause">How long what comes waits when nothing is being deleted, unless somebody wants the trash empty; for tests.</param>
    internal static Props Props(IActorRef operations, StoreMetrics metrics, TimeSpan period, TimeSpan? pause = null) =>
        EngineProps.Of(() => new TrashActor(operations, metrics, period, pause ?? UsualPause));

    protected override void PreStart()
    {
        Timers.StartPeriodicTimer(Tick.Instance, Tick.Instance, _period);
        Look(isSettled: true);
    }

    /// <summary>Puts what lies in the trash on the list, and what failed before with it.</summary>
    private void Look(bool isSettled = false) => Do(new ListTrash(isSettled), reply =>
    {
        if (reply is not DriverProtocol.Completed<IReadOnlyList<string>> listed) return;
        foreach (var (path, tree) in _trees.Where(static pair => pair.Value.HasFailed))
        {
            tree.HasFailed = false;
            _toDelete.Enqueue(path);
        }

        foreach (var path in listed.Result) Add(path);
    });

    private void Sweep(bool atStart, IActorRef requester, bool isSettled = false) => Do(new SweepStagings(atStart), reply =>
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
        if (isSettled || swept.Count > 0) Look(isSettled);
    });

    private void Empty(IActorRef requester, bool tell)
    {
        _waitingForEmpty.Add((requester, tell));
        Sweep(atStart: false, ActorRefs.Nobody);
        Look();
    }

    private bool Add(string? path)
    {
        if (path is null || !_trees.TryAdd(path, new Tree())) return false;
        _toMeasure.Enqueue(path);
        Report();
        return true;
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

        if (_toMeasure.TryDequeue(out var unmeasured)) Perform(new MeasureTrash(unmeasured), reply => Measured(unmeasured, reply));
        else if (_toDelete.TryDequeue(out var oldest)) Perform(new DeleteTrash(oldest), reply => Deleted(oldest, reply));
        else
        {
            foreach (var (requester, _) in _waitingForEmpty) requester.Tell(new TrashProtocol.Emptied(_trees.Count));
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

    private void Measured(string path, DriverProtocol.IReply reply)
    {
        _trees[path].Bytes = reply is DriverProtocol.Completed<ContentUsage> usage ? usage.Result.Bytes : 0;
        _bytes += _trees[path].Bytes;
        _toDelete.Enqueue(path);
    }

    private void Deleted(string path, DriverProtocol.IReply reply)
    {
        if (reply is not DriverProtocol.Failed failed)
        {
            _bytes -= _trees[path].Bytes;
            _trees.Remove(path);
            foreach (var (requester, _) in _waitingForEmpty.Where(static waiting => waiting.Tell)) requester.Tell(new TrashProtocol.Backlog(_trees.Count, _bytes));
            return;
        }

        var tree = _trees[path];
        tree.HasFailed = true;
        if (failed.Error.Code is StorageErrorCode.Cancelled or StorageErrorCode.ShuttingDown) return; // The next engine goes on with it.
        if (!tree.WasReported) _log.Warning("{0} cannot be deleted yet: {1}", path, failed.Error);
        tree.WasReported = true;
    }

    private void Report() => _metrics.TrashBacklog(_trees.Count, _bytes);

    /// <summary>A tree to be deleted; the actor's own, changed by it alone.</summary>
    private sealed class Tree
    {
        /// <summary>0 until it is measured.</summary>
        internal long Bytes { get; set; }

        /// <summary>Not to be tried before the next sweep.</summary>
        internal bool HasFailed { get; set; }

        internal bool WasReported { get; set; }
    }

    private sealed record Begin
    {
        internal static readonly Begin Instance = new();
    }

    private sealed record Tick
    {
        internal static readonly Tick Instance = new();
    }
}
