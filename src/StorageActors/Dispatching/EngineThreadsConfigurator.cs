using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Akka.Actor;
using Akka.Configuration;
using Akka.Dispatch;
using Akka.Event;

namespace StorageActors.Dispatching;

/// <summary>
/// Named in <c>reference.conf</c> as the executor of the dispatchers of actors and of short calls: both run on the same <see cref="EngineThreads"/>, which belong to the
/// actor system. A dispatcher with <c>blocks = on</c> is for calls, of which as many run at a time as it has threads; the other one is for actors.
/// </summary>
[SuppressMessage("Performance", "CA1812", Justification = "Made by Akka from the configuration.")]
internal sealed class EngineThreadsConfigurator(Config config, IDispatcherPrerequisites prerequisites) : ExecutorServiceConfigurator(config, prerequisites)
{
    /// <summary>One for each actor system; its event stream stands for it.</summary>
    private static readonly ConditionalWeakTable<EventStream, EngineThreads> Systems = [];

    private readonly bool _blocks = config.GetBoolean("blocks", false);
    private readonly int _threads = config.GetInt("threads", 0);
    private readonly EventStream _system = prerequisites.EventStream;

    /// <summary>The threads of an actor system's stores; null while it has none, or runs them on other ones.</summary>
    internal static EngineThreads? Find(ActorSystem system) => Systems.TryGetValue(system.EventStream, out var threads) ? threads : null;

    public override ExecutorService Produce(string id)
    {
        var threads = Systems.GetValue(_system, static _ => new EngineThreads("storage-actors"));
        var count = _threads > 0 ? _threads : Math.Max(2, Environment.ProcessorCount);
        if (_blocks) threads.AddCalls(count);
        else threads.AddThreads(count);
        return new Entrance(id, threads, _blocks ? threads.RunCall : threads.RunActor);
    }

    private sealed class Entrance(string id, EngineThreads threads, Action<IRunnable> execute) : ExecutorService(id)
    {
        private int _isShutDown;

        public override void Execute(IRunnable run)
        {
            if (Volatile.Read(ref _isShutDown) != 0) throw new RejectedExecutionException($"{Id} has shut down");
            execute(run);
        }

        /// <summary>What was accepted is still done; nobody waits for it here.</summary>
        public override void Shutdown()
        {
            if (Interlocked.Exchange(ref _isShutDown, 1) == 0) threads.Leave();
        }
    }
}
