using Akka.Dispatch;

namespace StorageActors.Dispatching;

/// <summary>
/// The threads of an actor system's stores: they run actors, which never block, and short calls that may. What a thread causes while it runs an actor it goes on
/// with itself, so that a command passes from actor to actor, to the driver's call and back without waking a thread at each step; that would take longer than the steps.
/// <list type="bullet">
/// <item>Actors come before calls, but not for ever; and a thread that is about to block leaves what else waits to another one.</item>
/// <item>When more waits than a thread's next few steps, or it comes from elsewhere, another thread is woken, or started if there are fewer than allowed.</item>
/// <item>At most so many calls run at a time; there are more threads than that, so actors always have one.</item>
/// </list>
/// Threads end after half a minute without work: an engine that does nothing has none. Safe to use from many threads.
/// </summary>
internal sealed class EngineThreads
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Actors run for microseconds: a thread comes to so many of them sooner than another one wakes up.</summary>
    private const int NextSteps = 4;

    /// <summary>After so many actors in a row a thread takes a call that waits.</summary>
    private const int MostInRow = 32;

    /// <summary>Whose thread this is; null for any other.</summary>
    [ThreadStatic]
    private static EngineThreads? _home;

    private readonly object _gate = new();
    private readonly Queue<IRunnable> _actors = new();
    private readonly Queue<IRunnable> _calls = new();
    private readonly string _name;
    private int _mostThreads;
    private int _mostCalls;
    private int _threads;
    private int _idle;
    private int _calling;
    private int _users;

    /// <param name="name">The threads' name.</param>
    internal EngineThreads(string name) => _name = name;

    /// <summary>For a user that has actors run: allows so many more threads.</summary>
    internal void AddThreads(int count)
    {
        lock (_gate) (_mostThreads, _users) = (_mostThreads + count, _users + 1);
    }

    /// <summary>For a user that has calls run: allows so many more at a time, and a thread for each.</summary>
    internal void AddCalls(int count)
    {
        lock (_gate) (_mostThreads, _mostCalls, _users) = (_mostThreads + count, _mostCalls + count, _users + 1);
    }

    /// <summary>A user has no more work. After the last one, threads end as soon as they find nothing to do.</summary>
    internal void Leave()
    {
        lock (_gate)
        {
            if (--_users > 0) return;
            _idle = 0;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Has an actor run.</summary>
    internal void RunActor(IRunnable actor) => Run(_actors, actor);

    /// <summary>Has something run that may block.</summary>
    internal void RunCall(IRunnable call) => Run(_calls, call);

    private int Ready => _actors.Count + Math.Min(_calls.Count, _mostCalls - _calling);

    private void Run(Queue<IRunnable> queue, IRunnable run)
    {
        lock (_gate)
        {
            queue.Enqueue(run);
            if (_home != this || Ready > NextSteps) Wake();
        }
    }

    /// <summary>Only with the gate.</summary>
    private void Wake()
    {
        if (_idle > 0)
        {
            _idle--;
            Monitor.Pulse(_gate);
        }
        else if (_threads < _mostThreads)
        {
            _threads++;
            new Thread(Loop) { IsBackground = true, Name = _name }.Start();
        }
    }

    private void Loop()
    {
        _home = this;
        var (isCall, inRow) = (false, 0);
        while (Next(ref isCall, ref inRow) is { } run) run.Run();
    }

    /// <summary>Null: this thread is needed no more.</summary>
    /// <param name="isCall">Whether what this thread has just run was a call; whether what it runs now is one.</param>
    /// <param name="inRow">How many actors this thread has run since its last call.</param>
    private IRunnable? Next(ref bool isCall, ref int inRow)
    {
        lock (_gate)
        {
            if (isCall) _calling--;
            isCall = false;
            while (true)
            {
                var mayCall = _calls.Count > 0 && _calling < _mostCalls;
                if ((inRow < MostInRow || !mayCall) && _actors.TryDequeue(out var actor))
                {
                    inRow++;
                    if (Ready > NextSteps) Wake();
                    return actor;
                }

                if (mayCall)
                {
                    (isCall, inRow, _calling) = (true, 0, _calling + 1);
                    var call = _calls.Dequeue();
                    if (Ready > 0) Wake();
                    return call;
                }

                if (_users > 0)
                {
                    _idle++;
                    if (Monitor.Wait(_gate, Patience)) continue;
                    // Nobody called it, or it would have been taken from the idle ones.
                    _idle--;
                    if (Ready > 0) continue;
                }

                _threads--;
                return null;
            }
        }
    }
}
