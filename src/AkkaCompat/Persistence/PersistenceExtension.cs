using System.Collections.Concurrent;
using Akka.Actor;
using Akka.Configuration;

namespace Akka.Persistence;

/// <summary>Starts the journal and snapshot store plugins, each once, on first use.</summary>
public sealed class PersistenceExtension : IExtension
{
    private const string JournalFallback = "akka.persistence.journal-plugin-fallback";
    private const string SnapshotStoreFallback = "akka.persistence.snapshot-store-plugin-fallback";

    private readonly ExtendedActorSystem _system;
    private readonly ConcurrentDictionary<string, Lazy<Plugin>> _plugins = new(StringComparer.Ordinal);

    public PersistenceExtension(ExtendedActorSystem system)
    {
        _system = system;
        RecoveryPermitter = new RecoveryPermitter(system.Settings.Config.GetInt("akka.persistence.max-concurrent-recoveries"));
    }

    /// <summary>The journal with this configuration path; the configured default when the path is empty.</summary>
    public IActorRef JournalFor(string? journalPluginId) => JournalPlugin(journalPluginId).Ref;

    /// <summary>The snapshot store with this configuration path; the configured default when the path is empty.</summary>
    public IActorRef SnapshotStoreFor(string? snapshotPluginId) =>
        PluginFor(snapshotPluginId, "akka.persistence.snapshot-store.plugin", SnapshotStoreFallback).Ref;

    /// <summary>The configuration of a running plugin, fallbacks included. A plugin's actor is named by its configuration path.</summary>
    public Config ConfigFor(IActorRef journalPluginActor) =>
        _plugins.TryGetValue(journalPluginActor.Path.Name, out var plugin)
            ? plugin.Value.Config
            : throw new ArgumentException($"Unknown plugin actor {journalPluginActor}", nameof(journalPluginActor));

    /// <summary>The id under which a persistent actor that names none of its own would persist: its path.</summary>
    public string PersistenceId(IActorRef actor) => actor.Path.ToStringWithoutAddress();

    internal RecoveryPermitter RecoveryPermitter { get; }

    internal Plugin JournalPlugin(string? id) => PluginFor(id, "akka.persistence.journal.plugin", JournalFallback);

    private Plugin PluginFor(string? id, string defaultKey, string fallback)
    {
        var path = string.IsNullOrEmpty(id) ? _system.Settings.Config.GetString(defaultKey, "") : id;
        if (string.IsNullOrEmpty(path)) throw new ArgumentException($"No persistence plugin is configured: {defaultKey} is empty", nameof(id));
        return _plugins.GetOrAdd(path, p => new Lazy<Plugin>(() => Start(p, fallback))).Value;
    }

    private Plugin Start(string path, string fallback)
    {
        var settings = _system.Settings.Config;
        if (!settings.HasPath(path)) throw new ArgumentException($"Persistence plugin {path} has no configuration", nameof(path));
        var config = settings.GetConfig(path).WithFallback(settings.GetConfig(fallback));
        var typeName = config.GetString("class", "");
        if (string.IsNullOrEmpty(typeName)) throw new ArgumentException($"Persistence plugin {path} names no class", nameof(path));
        var type = Type.GetType(typeName, throwOnError: true)!;
        var takesConfig = type.GetConstructor([typeof(Config)]) is not null;
        var props = (takesConfig ? Props.Create(type, config) : Props.Create(type))
            .WithDispatcher(config.GetString("plugin-dispatcher", Akka.Dispatch.Dispatchers.DefaultDispatcherId));
        return new Plugin(_system.SystemActorOf(props, path), config);
    }

    /// <summary>A running plugin, with the settings that each persistent actor reads parsed once.</summary>
    internal sealed class Plugin(IActorRef plugin, Config config)
    {
        public IActorRef Ref { get; } = plugin;
        public Config Config { get; } = config;
        public int MaxMessageBatchSize { get; } = config.GetInt("max-message-batch-size", 200);
        public TimeSpan RecoveryEventTimeout { get; } = config.GetTimeSpan("recovery-event-timeout", TimeSpan.FromSeconds(30));
    }
}
