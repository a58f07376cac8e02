using System.Globalization;
using Akka.Actor;
using Akka.Dispatch;
using Akka.Event;

namespace StorageActors.Node.Hosting;

/// <summary>
/// What an actor system logs, on stderr, one event a line (a stack follows its error). Akka's own logger writes to stdout, where a tar may go.
/// Named in the configuration by <see cref="NodeSettings"/>.
/// </summary>
public sealed class StderrLogger : ReceiveActor, IRequiresMessageQueue<ILoggerMessageQueueSemantics>
{
    /// <summary>Made by the actor system.</summary>
    public StderrLogger()
    {
        Receive<InitializeLogger>(_ => Sender.Tell(new LoggerInitialized()));
        Receive<LogEvent>(static logged =>
        {
            if (!IsNoise(logged)) Console.Error.WriteLine(Format(logged));
        });
    }

    /// <summary>An Ask that is cancelled before it is registered: Akka warns, and nobody can do or need do anything.</summary>
    private static bool IsNoise(LogEvent logged) =>
        logged.LogLevel() == LogLevel.WarningLevel && logged.Message.ToString()?.Contains("/temp trying to remove non-child", StringComparison.Ordinal) == true;

    private static string Format(LogEvent logged)
    {
        var time = logged.Timestamp.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        var level = logged.LogLevel() switch
        {
            LogLevel.DebugLevel => "debug",
            LogLevel.InfoLevel => "info",
            LogLevel.WarningLevel => "warning",
            _ => "error",
        };
        var cause = logged is Error { Cause: { } exception } ? Environment.NewLine + exception : "";
        return $"{time} {level} {logged.LogSource}: {logged.Message}{cause}";
    }
}
