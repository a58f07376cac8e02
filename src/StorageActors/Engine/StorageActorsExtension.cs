using System.Collections.Concurrent;
using Akka.Actor;
using Akka.Configuration;
using Akka.Event;
using StorageActors.Client;
using StorageActors.Dispatching;
using StorageActors.Drivers;
using StorageActors.Protocol;
using StorageActors.Settings;
using StorageActors.Store;

namespace StorageActors.Engine;

/// <summary>
/// The stores of an actor system. The store of the section <c>storage-actors</c> is <see cref="Store"/>; further ones have sections of their own, with the
/// same keys. The system's configuration must have <see cref="StorageConfiguration.Reference"/> as a fallback.
/// <code>
/// var system = ActorSystem.Create("host", ConfigurationFactory.ParseString("storage-actors.root = /var/lib/mine").WithFallback(StorageConfiguration.Reference));
/// StorageActorsExtension.For(system).Store.Tell(new LayerProtocol.Acquire(layer, lease, MountOptions.Default, Self));
/// </code>
/// </summary>
public sealed class StorageActorsExtension : IExtension
{
    private readonly ExtendedActorSystem _system;
    private readonly ConcurrentDictionary<string, Lazy<StorageStore>> _stores = new(StringComparer.Ordinal);

    internal StorageActorsExtension(ExtendedActorSystem system)
    {
        _system = system;
        if (!system.Settings.Config.HasPath(EngineProps.Dispatcher))
        {
            throw new ConfigurationException(
                $"the actor system has no {EngineProps.Dispatcher}: create it with .WithFallback(StorageConfiguration.Reference)");
        }
    }

    /// <summary>The address of the store of the section <c>storage-actors</c>, which is opened by the first who asks. What is sent before it serves waits.</summary>
    public IActorRef Store => Open().Actor;

    /// <summary>The stores of a system.</summary>
    /// <param name="system">The system.</param>
    public static StorageActorsExtension For(ActorSystem system) => system.WithExtension<StorageActorsExtension, StorageActorsProvider>();

    /// <summary>Opens the store of a section of the configuration, once; it stops with the system, or when it is told to.</summary>
    /// <param name="path">The section's path.</param>
    /// <param name="socket">Where its node listens, for whoever finds the store owned by this process.</param>
    /// <exception cref="StorageException">The section is wrong; the message names the key.</exception>
    public StorageStore Open(string path = "storage-actors", string? socket = null) => Open(path, socket, DefaultDriver, TimeProvider.System);

    internal StorageStore Open(string path, string? socket, OpenDriver openDriver, TimeProvider time) =>
        _stores.GetOrAdd(path, new Lazy<StorageStore>(() => Start(StorageSettings.From(_system.Settings.Config, path), socket, openDriver, time))).Value;

    private ILayerDriver DefaultDriver(string? name, StorageSettings settings) => DefaultDriver(name, settings, text => _system.Log.Warning("{0}", text));

    /// <summary>The driver that a store has when its host does not bring one.</summary>
    internal static ILayerDriver DefaultDriver(string? name, StorageSettings settings, Action<string> warn) =>
        DriverFactory.Open(
            name, settings.Root,
            new DriverOptions
            {
                MountOptions = settings.MountOptions, IgnoreChownErrors = settings.IgnoreChownErrors, RootMode = settings.RootMode, Label = settings.Label, Warn = warn,
            },
            settings.Driver is null ? "the store was made with it" : "asked for");

    private StorageStore Start(StorageSettings settings, string? socket, OpenDriver openDriver, TimeProvider time)
    {
        _system.Settings.InjectTopLevelFallback(StorageConfiguration.JournalOf(settings.Path, Path.Combine(settings.Root, "journal.db")));
        return StorageStore.Start(_system, settings, socket, openDriver, time);
    }
}

/// <summary>Makes <see cref="StorageActorsExtension"/>; name it under <c>akka.extensions</c> to have it start with the system.</summary>
public sealed class StorageActorsProvider : ExtensionIdProvider<StorageActorsExtension>
{
    /// <inheritdoc/>
    public override StorageActorsExtension CreateExtension(ExtendedActorSystem system) => new(system);
}
