using Akka.Actor;
using Akka.Event;
using Xunit.Abstractions;

namespace Akka.TestKit.Xunit2;

/// <summary>Writes the system's log to the output of one test.</summary>
public sealed class TestOutputLogger : ReceiveActor
{
    public TestOutputLogger(ITestOutputHelper output)
    {
        Receive<InitializeLogger>(message =>
        {
            message.LoggingBus.Subscribe(Self, typeof(LogEvent));
            Sender.Tell(new LoggerInitialized());
        });
        Receive<LogEvent>(message =>
        {
            try
            {
                output.WriteLine(message.ToString());
            }
            catch (InvalidOperationException)
            {
                // The test is over; xunit takes no more lines of it.
            }
        });
    }

    internal static void Attach(ActorSystem system, ITestOutputHelper output)
    {
        var logger = ((ExtendedActorSystem)system).SystemActorOf(Props.Create(() => new TestOutputLogger(output)), "log-test");
        logger.Tell(new InitializeLogger(system.EventStream), ActorRefs.NoSender);
    }
}
