using System.Linq.Expressions;
using Akka.Actor;
using Akka.Actor.Internal;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Event;
using Akka.TestKit.Internal;

namespace Akka.TestKit;

/// <summary>An actor system, and an actor of the test in it whose mail the test reads.</summary>
/// <remarks>
/// Each Expect looks at the next message only. Methods come in pairs: those with Async in their name wait without a thread.
/// Explicit times are stretched by <c>akka.test.timefactor</c>.
/// </remarks>
public abstract partial class TestKitBase : IActorRefFactory
{
    private static int _lastTestActor;

    private readonly TestQueue _queue = new();
    private readonly SynchronizationContext? _oldContext = SynchronizationContext.Current;
    private MessageEnvelope _last = NullMessageEnvelope.Instance;

    protected TestKitBase(ActorSystem? system = null, string? testActorName = null)
        : this(null, ActorSystemSetup.Empty, system, null, testActorName) { }

    protected TestKitBase(ActorSystemSetup setup, string? actorSystemName = null, string? testActorName = null)
        : this(null, setup, null, actorSystemName, testActorName) { }

    protected TestKitBase(Config config, string? actorSystemName = null, string? testActorName = null)
        : this(config, ActorSystemSetup.Empty, null, actorSystemName, testActorName) { }

    private TestKitBase(Config? config, ActorSystemSetup setup, ActorSystem? system, string? systemName, string? testActorName)
    {
        Sys = system ?? Create(config, setup, systemName ?? "test");
        if (system is null) AwaitListener(Sys);
        TestKitSettings = new TestKitSettings(Sys.Settings.Config.WithFallback(DefaultConfig));
        // A system that was not made for tests lacks the dispatcher of test actors.
        if (!Sys.Settings.Config.HasPath("akka.test.test-actor.dispatcher")) ((ExtendedActorSystem)Sys).Settings.InjectTopLevelFallback(DefaultConfig);
        Log = Logging.GetLogger(Sys, GetType());
        EventFilter = new EventFilterFactory(this);
        var queue = _queue;
        TestActor = ((ExtendedActorSystem)Sys).SystemActorOf(
            Props.Create(() => new InternalTestActor(queue)).WithDispatcher("akka.test.test-actor.dispatcher"),
            string.IsNullOrEmpty(testActorName) ? $"testActor{Interlocked.Increment(ref _lastTestActor)}" : testActorName);
        if (this is not INoImplicitSender) SendAsTestActor();
    }

    /// <summary>The defaults under <c>akka.test</c>, and the logger that EventFilter needs.</summary>
    public static Config DefaultConfig { get; } =
        ConfigurationFactory.FromResource<TestKitBase>("Akka.TestKit.Internal.Reference.conf");

    public ActorSystem Sys { get; }
    public IActorRef TestActor { get; }
    public TestKitSettings TestKitSettings { get; }
    public ILoggingAdapter Log { get; }

    /// <summary>Expects and mutes events of the log.</summary>
    public EventFilterFactory EventFilter { get; }

    /// <summary>What was received last; null if the last wait got nothing.</summary>
    public object? LastMessage => _last.Message;

    /// <summary>Who sent what was received last.</summary>
    public IActorRef? LastSender => _last.Sender;

    public bool HasMessages => _queue.Count > 0;

    /// <summary>Messages for which the function says true do not reach the test any more.</summary>
    public void IgnoreMessages(Func<object, bool> shouldIgnoreMessage) => TestActor.Tell(new InternalTestActor.SetIgnore(shouldIgnoreMessage));

    public void IgnoreMessages<TMsg>() => IgnoreMessages(message => message is TMsg);

    public void IgnoreNoMessages() => TestActor.Tell(new InternalTestActor.SetIgnore(null));

    public void SetAutoPilot(AutoPilot pilot) => TestActor.Tell(new InternalTestActor.SetAutoPilot(pilot));

    /// <summary>Has the test actor watch another; it does when this returns.</summary>
    public IActorRef Watch(IActorRef actorToWatch)
    {
        InTestActor(block: true, context => context.Watch(actorToWatch)).GetAwaiter().GetResult();
        return actorToWatch;
    }

    public async Task<IActorRef> WatchAsync(IActorRef actorToWatch)
    {
        await InTestActor(block: false, context => context.Watch(actorToWatch));
        return actorToWatch;
    }

    public IActorRef Unwatch(IActorRef actorToUnwatch)
    {
        InTestActor(block: true, context => context.Unwatch(actorToUnwatch)).GetAwaiter().GetResult();
        return actorToUnwatch;
    }

    public async Task<IActorRef> UnwatchAsync(IActorRef actorToUnwatch)
    {
        await InTestActor(block: false, context => context.Unwatch(actorToUnwatch));
        return actorToUnwatch;
    }

    public IActorRef ActorOf(Props props, string? name = null) => Sys.ActorOf(props, name);

    public IActorRef ActorOf<TActor>(string? name = null) where TActor : ActorBase, new() => Sys.ActorOf(Props.Create<TActor>(), name);

    public IActorRef ActorOf<TActor>(Expression<Func<TActor>> factory, string? name = null) where TActor : ActorBase =>
        Sys.ActorOf(Props.Create(factory), name);

    /// <summary>A child of the test actor.</summary>
    public IActorRef ChildActorOf(Props props, string? name = null) =>
        (IActorRef)InTestActor(block: true, context => context.ActorOf(props, name)).GetAwaiter().GetResult()!;

    public IActorRef ChildActorOf<T>(string? name = null) where T : ActorBase, new() => ChildActorOf(Props.Create<T>(), name);

    public ActorSelection ActorSelection(ActorPath actorPath) => Sys.ActorSelection(actorPath);

    public ActorSelection ActorSelection(string actorPath) => Sys.ActorSelection(actorPath);

    /// <summary>Another test actor of the same system.</summary>
    public virtual TestProbe CreateTestProbe(string? name = null) => new(Sys, name);

    /// <summary>Ends the system and waits for it: what a test cleans up afterwards is nobody's any more.</summary>
    public virtual void Shutdown(TimeSpan? duration = null, bool verifySystemShutdown = false) => Shutdown(Sys, duration, verifySystemShutdown);

    protected virtual void Shutdown(ActorSystem system, TimeSpan? duration = null, bool verifySystemShutdown = false)
    {
        var max = duration ?? TimeSpan.FromMinutes(1);
        StopSendingAsTestActor();
        var terminated = system.Terminate();
        if (((IAsyncResult)terminated).AsyncWaitHandle.WaitOne(max)) return;
        var message = $"Failed to stop [{system.Name}] within [{max}]";
        if (verifySystemShutdown) throw new TimeoutException(message);
        system.Log.Warning(message);
    }

    private static ActorSystem Create(Config? config, ActorSystemSetup setup, string name)
    {
        var given = setup.Get<BootstrapSetup>();
        if (given.HasValue)
            return ActorSystem.Create(name, setup.WithSetup(given.Value.WithConfigFallback(DefaultConfig)));
        var all = config is null ? DefaultConfig : config.WithFallback(DefaultConfig);
        return ActorSystem.Create(name, setup.WithSetup(BootstrapSetup.Create().WithConfig(all)));
    }

    /// <summary>A system does not log everything yet in the moment after its creation; an EventFilter would miss it.</summary>
    private static void AwaitListener(ActorSystem system)
    {
        var settings = system.Settings;
        if (settings.LogLevel.Equals("OFF", StringComparison.OrdinalIgnoreCase)) return;
        if (!settings.Loggers.Any(logger => logger.Contains(nameof(TestEventListener), StringComparison.Ordinal))) return;
        var (received, end) = (false, Now + TimeSpan.FromMinutes(1));
        while (!received && Now < end)
        {
            var probe = new ListenerProbe();
            system.EventStream.Publish(probe);
            received = ((IAsyncResult)probe.Received.Task).AsyncWaitHandle.WaitOne(TimeSpan.FromMilliseconds(50));
        }
    }

    private async Task<object?> InTestActor(bool block, Func<IActorContext, object?> action)
    {
        var answer = TestActor.Ask<InternalTestActor.Done>(new InternalTestActor.Do(action), RemainingOrDefault);
        if (block) ((IAsyncResult)answer).AsyncWaitHandle.WaitOne();
        var done = await answer;
        return done.Failure is null ? done.Result : throw done.Failure;
    }

    private void SendAsTestActor()
    {
        var cell = (ActorCell)InTestActor(block: true, context => context).GetAwaiter().GetResult()!;
        InternalCurrentActorCellKeeper.Current = cell;
        SynchronizationContext.SetSynchronizationContext(new ActorCellKeepingSynchronizationContext(cell));
    }

    private void StopSendingAsTestActor()
    {
        if (this is INoImplicitSender) return;
        InternalCurrentActorCellKeeper.Current = null;
        if (SynchronizationContext.Current is ActorCellKeepingSynchronizationContext) SynchronizationContext.SetSynchronizationContext(_oldContext);
    }
}
