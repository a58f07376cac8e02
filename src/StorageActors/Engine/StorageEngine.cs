using Akka.Actor;
using Akka.Configuration;
using StorageActors.Client;
using StorageActors.Protocol;
using StorageActors.Recovery;
using StorageActors.Settings;
using StorageActors.Store;

namespace StorageActors.Engine;

/// <summary>
/// A store with an actor system of its own, for hosts that have none: commands, tests.
/// <code>
/// await using var engine = await StorageEngine.StartAsync("/var/lib/storage-actors");
/// var layer = await engine.Client.CreateAsync(parent: null);
/// </code>
/// </summary>
public sealed class StorageEngine : IAsyncDisposable
{
    /// <summary>Nobody else lives in this system: nothing is logged but what is wrong, and it ends without waiting for anybody.</summary>
    private static readonly Config Defaults = ConfigurationFactory.ParseString("""
        akka {
          loglevel = WARNING
          stdout-loglevel = WARNING
          log-dead-letters = off
          log-dead-letters-during-shutdown = off
          coordinated-shutdown {
            run-by-clr-shutdown-hook = off
            exit-clr = off
          }
        }
        """);

    private StorageEngine(ActorSystem system, StorageStore store)
    {
        (System, Store) = (system, store);
        Client = new StorageClient(store.OpenChannel());
    }

    /// <summary>The actor system; it ends with the engine.</summary>
    public ActorSystem System { get; }

    /// <summary>The store.</summary>
    public StorageStore Store { get; }

    /// <summary>The store's root directory.</summary>
    public string Root => Store.Root;

    /// <summary>The store, by typed methods. Leases taken through it end with the engine.</summary>
    public StorageClient Client { get; }

    /// <summary>Starts an engine on a root directory, with the defaults of everything else; makes the store if there is none.</summary>
    /// <param name="root">The root.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="StorageException">The store cannot be opened.</exception>
    public static Task<StorageEngine> StartAsync(string root, CancellationToken stop = default) =>
        StartAsync(ConfigurationFactory.ParseString($"storage-actors.root = {StorageConfiguration.Quote(root)}"), socket: null, stop);

    /// <summary>Starts an engine; its store's section is <c>storage-actors</c>. The defaults are added to the configuration.</summary>
    /// <param name="config">The configuration of the actor system and the store.</param>
    /// <param name="socket">Where this process is going to listen, for whoever finds the store owned.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="StorageException">The configuration is wrong, or the store cannot be opened.</exception>
    public static Task<StorageEngine> StartAsync(Config config, string? socket = null, CancellationToken stop = default) =>
        StartAsync(config, system => StorageActorsExtension.For(system).Open(StorageSettings.DefaultPath, socket), stop);

    /// <summary>As the public one, with a driver of the caller's.</summary>
    internal static Task<StorageEngine> StartAsync(Config config, OpenDriver openDriver, TimeProvider? time = null, CancellationToken stop = default) =>
        StartAsync(config, system => StorageActorsExtension.For(system).Open(StorageSettings.DefaultPath, null, openDriver, time ?? TimeProvider.System), stop);

    /// <summary>
    /// What an engine on the store would say of itself, without one: the store is owned for as long as its driver takes to try what works here, and its journal is read.
    /// Where there is no store yet, it says what one would be, which has no identity, and makes none.
    /// </summary>
    /// <param name="config">As for <see cref="StartAsync(Config, string?, CancellationToken)"/>.</param>
    /// <returns>Null when only an engine can say it: its journal is elsewhere, what is there is no whole store, or a crash left something to be settled first.</returns>
    /// <exception cref="StorageException">The configuration is wrong, somebody else owns the store, or it cannot be opened.</exception>
    public static Task<StoreProtocol.Info?> InspectAsync(Config config) => Task.Factory.StartNew(
        () => EngineInspection.Run(Settings(config), static (name, settings) => StorageActorsExtension.DefaultDriver(name, settings, static _ => { }), TimeProvider.System),
        CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>
    /// Whether a store would be made here: the root is not there, or has nothing but what a store is made beside, and nobody is at it. A host that only asks looks here first, since
    /// an engine makes the store. False where something else is there, or where that cannot be told: then an engine says what is wrong.
    /// </summary>
    /// <param name="root">The root.</param>
    public static bool IsVacant(string root) => StoreRoot.IsVacant(root);

    /// <summary>
    /// Makes a store's journal again, out of the directories of its layers and images alone, when no engine runs on it. The old one is kept beside it. What only
    /// the journal knew is lost: leases, which is why nothing may be mounted, and marks of damage, which a check finds again.
    /// </summary>
    /// <param name="config">As for <see cref="StartAsync(Config, string?, CancellationToken)"/>.</param>
    /// <param name="dryRun">Whether only to say what the journal would have.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="StorageException">There is no store, an engine runs on it, or a layer is mounted.</exception>
    public static Task<RebuildReport> RebuildAsync(Config config, bool dryRun = false, CancellationToken stop = default) =>
        RebuildAsync(
            config, static (name, settings) => StorageActorsExtension.DefaultDriver(name, settings, static _ => { }), dryRun, TimeProvider.System, () => StartAsync(config, socket: null, stop));

    /// <summary>As the public one, with a driver of the caller's.</summary>
    internal static Task<RebuildReport> RebuildAsync(Config config, OpenDriver openDriver, bool dryRun) =>
        RebuildAsync(config, openDriver, dryRun, TimeProvider.System, () => StartAsync(config, openDriver));

    private static StorageSettings Settings(Config config) =>
        StorageSettings.From(config.WithFallback(Defaults).WithFallback(StorageConfiguration.Reference), StorageSettings.DefaultPath);

    private static async Task<RebuildReport> RebuildAsync(
        Config config, OpenDriver openDriver, bool dryRun, TimeProvider time, Func<Task<StorageEngine>> start)
    {
        var settings = Settings(config);
        var report = await Task.Factory.StartNew(
            () => JournalRebuild.Run(settings, openDriver, dryRun, time), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)
            .ConfigureAwait(false);
        if (dryRun) return report;

        // An engine that finds no journal adopts what it finds.
        var engine = await start().ConfigureAwait(false);
        await using var running = engine.ConfigureAwait(false);
        var layers = await engine.Client.ListLayersAsync().ConfigureAwait(false);
        var images = await engine.Client.ListImagesAsync().ConfigureAwait(false);
        return report with { Layers = [.. layers.Select(static layer => layer.Id)], Images = [.. images.Select(static image => image.Id)] };
    }

    /// <summary>A further way to the store. Leases taken through it end when it is disposed.</summary>
    public IStorageChannel OpenChannel() => Store.OpenChannel();

    /// <summary>Stops the store as <see cref="StorageStore.StopAsync"/> does, and its system.</summary>
    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync().ConfigureAwait(false);
        await Store.StopAsync().ConfigureAwait(false);
        await System.Terminate().ConfigureAwait(false);
    }

    private static async Task<StorageEngine> StartAsync(Config config, Func<ActorSystem, StorageStore> open, CancellationToken stop)
    {
        var system = ActorSystem.Create("storage-actors", config.WithFallback(Defaults).WithFallback(StorageConfiguration.Reference));
        StorageStore? store = null;
        try
        {
            store = open(system);
            await store.WhenReadyAsync(stop).ConfigureAwait(false);
            return new StorageEngine(system, store);
        }
        catch
        {
            // Who ends with this call leaves nothing behind that was being tried, and keeps nobody from the store.
            if (store is not null) await store.StopAsync().ConfigureAwait(false);
            await system.Terminate().ConfigureAwait(false);
            throw;
        }
    }
}
