using Akka.Actor;
using Akka.Dispatch;
using Akka.Event;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using MsLogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Akka.Hosting.Logging;

/// <summary>Writes the actor system's log to the host's, all of it to one category.</summary>
public class LoggerFactoryLogger : ActorBase, IRequiresMessageQueue<ILoggerMessageQueueSemantics>
{
    private ILogger _logger = NullLogger.Instance;

    protected override bool Receive(object message)
    {
        switch (message)
        {
            case InitializeLogger:
                var setup = Context.System.Settings.Setup.Get<LoggerFactorySetup>();
                if (setup.HasValue) _logger = setup.Value.LoggerFactory.CreateLogger(typeof(ActorSystem).FullName!);
                Sender.Tell(new LoggerInitialized());
                return true;
            case LogEvent e:
                var text = e.ToString();
                _logger.Log(Level(e), default, text, e.Cause, static (line, _) => line);
                return true;
            default:
                return false;
        }
    }

    private static MsLogLevel Level(LogEvent e) => e.LogLevel() switch
    {
        Event.LogLevel.DebugLevel => MsLogLevel.Debug,
        Event.LogLevel.InfoLevel => MsLogLevel.Information,
        Event.LogLevel.WarningLevel => MsLogLevel.Warning,
        _ => MsLogLevel.Error,
    };
}
