using Akka.Dispatch;

namespace StorageActors.Dispatching;

/// <summary>
/// The threads of an actor system's stores: they run actors, which never block, and short calls that may. What a thread causes while it runs an actor it goes on
/// with itself, so that a command passes from actor to actor, to the driver's call and back without waking a thread at each step; that would take longer than the steps.
/// <list type="bullet">
/// <item>Actors come before calls, but not for ever; and a thread that is about to block leaves what else waits to another one.</item>
/// <item>When more waits than a thread's next few steps, or it comes from elsewhere, another thread is woken, or started if there are fewer than allowed.</item>
/// <item>At most so many calls run at a time; there are more threads than that, so actors always have one.</item>
/// <item>What somebody outside does with an answer runs here too, if he awaits it: so he sends his next message from the thread that would have to be woken for it. A few at a
/// time, since he may block or go on for ever; who comes when they are taken is told that he has to look for a thread elsewhere. The first message that he sends then is left to this
/// same thread, which nearly always is back at once; while somebody asks again and again, an idle thread looks every two milliseconds whether it was.</item>
/// </list>
/// Threads end after half a minute without work: an engine that does nothing has none. Safe to use from many threads.
/// </summary>
internal sealed class EngineThreads
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>For so long at most waits what was left to a thread that is not back.</summary>
    private static readonly TimeSpan Watch = TimeSpan.FromMilliseconds(2);

    /// <summary>Actors run for microseconds: a thread comes to so many of them sooner than another one wakes up.</summary>
    private const int NextSteps = 4;

    /// <summary>So many threads may be with those who got answers.</summary>
    private const int MostAnswers = 2;

    /// <summary>After so many actors in a row a thread takes a call, or an answer, that waits.</summary>
    private const int MostInRow = 32;

    /// <summary>Whose thread this is; null for any other.</summary>
    [ThreadStatic]
    private static EngineThreads? _home;

    /// <summary>Whose answer this thread is with, as long as that has caused nothing; null for any other.</summary>
    [ThreadStatic]
    private static EngineThreads? _lent;

    private readonly object _gate = new();
    private readonly Queue<IRunnable> _actors = new();
    private readonly Queue<IRunnable> _calls = new();
    private readonly Queue<IRunnable> _answers = new();
    private readonly string _name;
    private int _mostThreads = MostAnswers;
    private int _mostCalls;
    private int _threads;
    private int _idle;     // who waits and was not called; with those who were and have not come yet, all who wait
    private int _called;
    private int _calling;
    private int _answering;
    private int _users;
    private long _asked;     // how often somebody with an answer went on to send a message
    private long _askedBefore;     // the same, when the watch began
    private bool _isWatched;

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
            (_called, _idle) = (_called + _idle, 0);
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Has an actor run.</summary>
    internal void RunActor(IRunnable actor) => Run(_actors, actor);

    /// <summary>Has something run that may block.</summary>
    internal void RunCall(IRunnable call) => Run(_calls, call);

    /// <summary>Has what somebody does with an answer run; false when the threads for that are taken, or there are to be none any more.</summary>
    internal bool TryRunAnswer(IRunnable answer)
    {
        lock (_gate)
        {
            if (_answering + _answers.Count >= MostAnswers || _users == 0) return false;
            _answers.Enqueue(answer);
            if (_home != this || Ready > NextSteps) Wake();
            return true;
        }
    }

    private int Ready => _actors.Count + _answers.Count + Math.Min(_calls.Count, _mostCalls - _calling);

    private void Run(Queue<IRunnable> queue, IRunnable run)
    {
        lock (_gate)
        {
            queue.Enqueue(run);
            if (_home == this ? Ready > NextSteps : !TryLeave()) Wake();
        }
    }

    /// <summary>Only with the gate. Whether what was just caused, and nothing else, may be left to this thread, which is with an answer: another one looks soon whether it came to it.</summary>
    private bool TryLeave()
    {
        if (_lent != this) return false;
        _lent = null;
        _asked++;
        return _isWatched && Ready == 1;
    }

    /// <summary>Only with the gate.</summary>
    private void Wake()
    {
        if (_idle > 0)
        {
            (_called, _idle) = (_called + 1, _idle - 1);
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
        var (step, inRow) = (Step.Actor, 0);
        while (Next(ref step, ref inRow) is { } run)
        {
            // Who got an answer is not ours: he may block at once, and what he sent before has to be done by another thread.
            if (step == Step.Answer) (_home, _lent) = (null, this);
            run.Run();
            (_home, _lent) = (this, null);
        }
    }

    /// <summary>Null: this thread is needed no more.</summary>
    /// <param name="step">What this thread has just run; what it runs now.</param>
    /// <param name="inRow">How many actors this thread has run since its last call or answer.</param>
    private IRunnable? Next(ref Step step, ref int inRow)
    {
        lock (_gate)
        {
            if (step == Step.Call) _calling--;
            if (step == Step.Answer) _answering--;
            step = Step.Actor;
            while (true)
            {
                var mayCall = _calls.Count > 0 && _calling < _mostCalls;
                if ((inRow < MostInRow || !(mayCall || _answers.Count > 0)) && _actors.TryDequeue(out var actor))
                {
                    inRow++;
                    if (Ready > NextSteps) Wake();
                    return actor;
                }

                if (_answers.TryDequeue(out var answer))
                {
                    // A call that waits as well comes next, before further actors.
                    (step, inRow, _answering) = (Step.Answer, mayCall ? inRow : 0, _answering + 1);
                    if (Ready > 0) Wake();
                    return answer;
                }

                if (mayCall)
                {
                    (step, inRow, _calling) = (Step.Call, 0, _calling + 1);
                    var call = _calls.Dequeue();
                    if (Ready > 0) Wake();
                    return call;
                }

                if (_users > 0 && (Wait() || Ready > 0)) continue;
                _threads--;
                return null;
            }
        }
    }

    /// <summary>Only with the gate.</summary>
    /// <returns>False: nobody has called for as long as a thread is patient.</returns>
    private bool Wait()
    {
        var watches = !_isWatched && _asked != _askedBefore;
        if (watches) (_isWatched, _askedBefore) = (true, _asked);
        _idle++;
        var isCalled = Monitor.Wait(_gate, watches ? Watch : Patience);
        if (watches) _isWatched = false;
        if (_called == 0)
        {
            _idle--;
            return isCalled || watches;
        }

        // Whoever comes first after a call takes it, also when his own time was up: he finds what it was for.
        _called--;
        return true;
    }

    private enum Step
    {
        Actor,
        Call,
        Answer,
    }
}
