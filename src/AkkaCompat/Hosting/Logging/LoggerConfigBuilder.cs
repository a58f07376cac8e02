using Akka.Actor;
using Akka.Configuration;
using Akka.Event;
using Akka.Hosting.Logging;
using Microsoft.Extensions.Logging;
using LogLevel = Akka.Event.LogLevel;

namespace Akka.Hosting;

/// <summary>Which loggers an actor system writes to, and from which level on.</summary>
public sealed class LoggerConfigBuilder
{
    private readonly List<Type> _loggers = [typeof(DefaultLogger)];
    private readonly AkkaConfigurationBuilder _builder;

    internal LoggerConfigBuilder(AkkaConfigurationBuilder builder) => _builder = builder;

    public LogLevel LogLevel { get; set; } = LogLevel.InfoLevel;

    /// <summary>Logs the whole configuration at the start.</summary>
    public bool LogConfigOnStart { get; set; }

    public LoggerConfigBuilder ClearLoggers()
    {
        _loggers.Clear();
        return this;
    }

    /// <summary>Adds the logger that writes to standard output.</summary>
    public LoggerConfigBuilder AddDefaultLogger() => AddLogger<DefaultLogger>();

    /// <summary>Adds the host's logging.</summary>
    public LoggerConfigBuilder AddLoggerFactory() => AddLogger<LoggerFactoryLogger>();

    public LoggerConfigBuilder AddLoggerFactory(ILoggerFactory loggerFactory)
    {
        _builder.AddSetup(new LoggerFactorySetup(loggerFactory));
        return AddLoggerFactory();
    }

    public LoggerConfigBuilder AddLogger<T>() where T : ActorBase
    {
        if (!_loggers.Contains(typeof(T))) _loggers.Add(typeof(T));
        return this;
    }

    internal Config ToConfig()
    {
        var level = LogLevel switch
        {
            LogLevel.DebugLevel => "DEBUG",
            LogLevel.InfoLevel => "INFO",
            LogLevel.WarningLevel => "WARNING",
            _ => "ERROR",
        };
        var loggers = string.Join(", ", _loggers.Select(type => $"\"{type.FullName}, {type.Assembly.GetName().Name}\""));
        return ConfigurationFactory.ParseString(
            $"akka.loglevel = {level}\nakka.loggers = [{loggers}]\nakka.log-config-on-start = {(LogConfigOnStart ? "on" : "off")}");
    }
}
