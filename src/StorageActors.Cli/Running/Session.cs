using Akka.Configuration;
using StorageActors.Client;
using StorageActors.Engine;
using StorageActors.Node.Client;
using StorageActors.Node.Hosting;
using StorageActors.Protocol;

namespace StorageActors.Cli.Running;

/// <summary>A verb's way to its store: through the node that serves it, else with an engine that lives as long as the verb.</summary>
internal sealed class Session : IAsyncDisposable
{
    /// <summary>Another verb may be using the store: it is waited for that long.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);
    private readonly StorageEngine? _engine;

    private Session(StorageClient client, StorageEngine? engine, string where) => (Client, _engine, Where) = (client, engine, where);

    /// <summary>The store.</summary>
    internal StorageClient Client { get; }

    /// <summary>Whether the engine ends with this process, and with it what it does in the background.</summary>
    internal bool IsHost => _engine is not null;

    /// <summary>Where the engine is, for people.</summary>
    internal string Where { get; }

    internal static async Task<Session> OpenAsync(Invocation call)
    {
        // A configuration is read only if there is one: the way to a running node is to be short.
        var choice = call.Store;
        var root = choice.Root ?? (choice.Config is null ? GlobalOptions.DefaultRoot() : null);
        if (root is not null && await OnNodeAsync(call, choice.Socket ?? Path.Combine(root, "node.sock")) is { } session) return session;
        return await HostAsync(call, choice);
    }

    /// <summary>
    /// The shortest way for a question that changes nothing: the store's journal, read beside whoever owns it, without an engine. Where that cannot
    /// answer, or the user says which way to go, it is <see cref="OpenAsync"/>.
    /// </summary>
    /// <param name="call">The run of the verb.</param>
    /// <param name="withMounts">Whether the question is about mounts: a running node knows best what is mounted.</param>
    internal static async Task<Session> OpenToReadAsync(Invocation call, bool withMounts)
    {
        if (call.Store is not { Config: null, Socket: null } choice) return await NothingAsync(call) ?? await OpenAsync(call);
        var root = choice.Root ?? GlobalOptions.DefaultRoot();
        if (choice.Driver is null && ReadingChannel.TryOpen(root, withMounts) is { } channel)
            return new Session(new StorageClient(channel), null, "none: the journal is read");
        return NoStoreChannel.TryOpen(root) is { } nothing ? new Session(new StorageClient(nothing), null, "none: there is no store") : await OpenAsync(call);
    }

    /// <summary>The same for a store that the user describes: an answer only where nobody serves it and there is nothing that an engine could open without making it.</summary>
    private static async Task<Session?> NothingAsync(Invocation call)
    {
        var config = Configure(call.Store);
        var isOnItsOwn = config.GetStringList("storage-actors.additional-stores") is null or { Count: 0 } && string.IsNullOrEmpty(config.GetString("storage-actors.journal.connection-string"));
        if (!isOnItsOwn || NoStoreChannel.TryOpen(config.GetString("storage-actors.root")) is not { } nothing) return null;
        return await OnNodeAsync(call, config.GetString("storage-actors.socket")) ?? new Session(new StorageClient(nothing), null, "none: there is no store");
    }

    /// <summary>
    /// For a verb that asks what only an engine knows, and must not make a store by that: where there is none, it is told that nothing is there.
    /// </summary>
    internal static async Task<Session> OpenExistingAsync(Invocation call)
    {
        if (call.Store is not { Config: null, Socket: null } choice) return await NothingAsync(call) ?? await OpenAsync(call);
        return NoStoreChannel.TryOpen(choice.Root ?? GlobalOptions.DefaultRoot()) is { } nothing ? new Session(new StorageClient(nothing), null, "none: there is no store") : await OpenAsync(call);
    }

    /// <summary>What the store says of itself, and who said it: its node, or this process, which needs an engine for it only where a crash left something.</summary>
    internal static async Task<(StoreProtocol.Info Info, string Where)> InspectAsync(Invocation call)
    {
        var node = call.Store.Socket is { } socket ? await OnNodeAsync(call, socket) : null;
        if (node is null && await TryInspectAsync(Configure(call.Store)) is { } seen)
            return (seen, seen.StoreId.Length == 0 ? "none: there is no store" : "none: the store is looked at");
        await using var session = node ?? await OpenAsync(call);
        return (await session.Client.Channel.AskAsync<StoreProtocol.Info>(new StoreProtocol.GetInfo(), call.Stop), session.Where);
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        if (_engine is not null) await _engine.DisposeAsync();
    }

    private static async Task<Session?> OnNodeAsync(Invocation call, string socket)
    {
        if (await HttpStorageChannel.TryConnectAsync(socket, mayBlock: true, call.Stop) is not { } channel) return null;
        if (call.Store.Driver is not null) call.Output.Note($"storage-actors: {call.Verb}: the node at {socket} has its own driver; --driver is not used");
        return new Session(new StorageClient(channel), null, $"node at {socket}");
    }

    private static Config Configure(StoreChoice choice) =>
        new NodeSettings(choice.Root, choice.Socket, choice.Driver, choice.LogLevel, choice.Config).ToConfig(GlobalOptions.DefaultRoot());

    /// <summary>Null: it takes an engine, or somebody else owns the store.</summary>
    private static async Task<StoreProtocol.Info?> TryInspectAsync(Config config)
    {
        try
        {
            return await StorageEngine.InspectAsync(config);
        }
        catch (StorageException e) when (e.Error.Code == StorageErrorCode.InUse)
        {
            return null;
        }
    }

    private static async Task<Session> HostAsync(Invocation call, StoreChoice choice)
    {
        var config = Configure(choice);
        var started = TimeProvider.System.GetTimestamp();
        using var timer = new PeriodicTimer(Interval);
        var socket = config.GetString("storage-actors.socket");
        for (var told = false; ; await timer.WaitForNextTickAsync(call.Stop))
        {
            if (await OnNodeAsync(call, socket) is { } session) return session;
            try
            {
                var engine = await StorageEngine.StartAsync(config, socket: null, call.Stop);
                return new Session(new StorageClient(engine.OpenChannel()), engine, "in this process");
            }
            catch (StorageException e) when (e.Error.Code == StorageErrorCode.InUse && TimeProvider.System.GetElapsedTime(started) < Patience)
            {
                // Another verb has the store for a moment; or a node that is just starting, or that listens elsewhere.
                socket = NodeHost.SocketOfOwner(config.GetString("storage-actors.root")) ?? socket;
                if (told || TimeProvider.System.GetElapsedTime(started) < Interval * 20) continue;
                told = true;
                call.Output.Note($"storage-actors: {call.Verb}: waiting, since {e.Error.Message}");
            }
        }
    }
}
