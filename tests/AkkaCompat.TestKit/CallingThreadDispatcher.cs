using Akka.Configuration;
using Akka.Dispatch;

namespace Akka.TestKit;

/// <summary>Runs an actor on the thread that sends to it.</summary>
public sealed class CallingThreadDispatcher(MessageDispatcherConfigurator configurator) : MessageDispatcher(configurator)
{
    public static new readonly string Id = "akka.test.calling-thread-dispatcher";

    protected override void ExecuteTask(IRunnable run) => run.Run();

    protected override void Shutdown() { }
}

/// <summary>Named in the configuration as a dispatcher's type.</summary>
public class CallingThreadDispatcherConfigurator(Config config, IDispatcherPrerequisites prerequisites)
    : MessageDispatcherConfigurator(config, prerequisites)
{
    public override MessageDispatcher Dispatcher() => new CallingThreadDispatcher(this);
}
