using System.Diagnostics.CodeAnalysis;
using Akka.Configuration;
using Akka.Dispatch;

namespace StorageActors.DriverOperations;

/// <summary>
/// Threads for calls that block: started when there is work that no idle thread can take, up to <c>threads</c>, and ended when they have been idle for a while.
/// <para>
/// Akka's own fork-join threads are not used: they wake as many threads as the machine has processors, so on a small machine a call may lie in the queue, with
/// threads free to take it, until one that blocks has returned.
/// </para>
/// Named in <c>reference.conf</c> as the executor of the engine's dispatchers.
/// </summary>
[SuppressMessage("Performance", "CA1812", Justification = "Made by Akka from the configuration.")]
internal sealed class OwnThreadsConfigurator(Config config, IDispatcherPrerequisites prerequisites) : ExecutorServiceConfigurator(config, prerequisites)
{
    private readonly int _threads = config.GetInt("threads");

    public override ExecutorService Produce(string id) => new OwnThreads(id, _threads);
}

/// <summary>At most so many threads; safe to use from many.</summary>
internal sealed class OwnThreads(string id, int maximum) : ExecutorService(id)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly object _gate = new();
    private readonly Queue<IRunnable> _work = new();
    private int _threads;
    private int _idle;
    private bool _isShutDown;

    public override void Execute(IRunnable run)
    {
        lock (_gate)
        {
            if (_isShutDown) throw new RejectedExecutionException($"{Id} has shut down");
            _work.Enqueue(run);
            if (_work.Count <= _idle) Monitor.Pulse(_gate);
            else if (_threads < maximum) Start();
        }
    }

    /// <summary>What was accepted is still done; nobody waits for it here.</summary>
    public override void Shutdown()
    {
        lock (_gate)
        {
            _isShutDown = true;
            Monitor.PulseAll(_gate);
        }
    }

    private void Start()
    {
        _threads++;
        new Thread(Run) { IsBackground = true, Name = Id }.Start();
    }

    private void Run()
    {
        while (Next() is { } run) run.Run();
    }

    /// <summary>Null: this thread is needed no more.</summary>
    private IRunnable? Next()
    {
        lock (_gate)
        {
            while (true)
            {
                if (_work.TryDequeue(out var run)) return run;
                _idle++;
                var isCalled = !_isShutDown && Monitor.Wait(_gate, Patience);
                _idle--;
                if (isCalled || _work.Count > 0) continue;
                _threads--;
                return null;
            }
        }
    }
}
