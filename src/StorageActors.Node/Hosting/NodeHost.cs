using StorageActors.Engine;
using StorageActors.Node.Doors;
using StorageActors.Node.Server;
using StorageActors.Protocol;
using StorageActors.Store;

namespace StorageActors.Node.Hosting;

/// <summary>The standalone node: an engine that owns a root, served over a socket until it is told to stop.</summary>
public static class NodeHost
{
    /// <summary>
    /// Serves until <paramref name="stop"/> is cancelled, then drains: takes no new work, lets commands end for as long as
    /// <c>storage-actors.drain-timeout</c> says, cancels the rest, and stops the engine. Mounts held by leases without an owner stay.
    /// </summary>
    /// <param name="settings">Which store, and how.</param>
    /// <param name="defaultRoot">The root if nothing names one.</param>
    /// <param name="report">Gets the lines that people are to see: ready, draining, defects.</param>
    /// <param name="stop">Begins the drain.</param>
    /// <exception cref="StorageException">Somebody else owns the root or serves the socket; or the store is damaged.</exception>
    public static async Task RunAsync(NodeSettings settings, string defaultRoot, Action<string> report, CancellationToken stop)
    {
        var config = settings.ToConfig(defaultRoot);
        var socket = config.GetString("storage-actors.socket");
        var doors = DoorSettings.From(config);
        await using var engine = await StorageEngine.StartAsync(config, socket, stop);
        Directory.CreateDirectory(Path.GetDirectoryName(socket)!);
        await using var server = await NodeServer.StartAsync(new NodeServerOptions(socket, engine.Root, report, engine.Store.AbortTransfer), engine.OpenChannel, stop);
        await using var open = await NodeDoors.OpenAsync(doors, engine, report, stop);
        foreach (var door in doors) report($"door {door.Name} on {door.Socket}");
        report($"ready on {socket} (driver {await DriverAsync(engine)}, root {engine.Root})");

        var stopping = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (stop.Register(stopping.SetResult)) await stopping.Task;
        report("draining");
        var patience = config.GetTimeSpan("storage-actors.drain-timeout");
        await Task.WhenAll(open.DrainAsync(patience), server.DrainAsync(patience));
    }

    /// <summary>Where the process that owns a root listens; none when nobody owns it, or the owner does not listen.</summary>
    /// <param name="root">The root.</param>
    public static string? SocketOfOwner(string root) => OwnerLock.Find(root)?.Socket;

    private static async Task<string> DriverAsync(StorageEngine engine)
    {
        await using var channel = engine.OpenChannel();
        return (await channel.AskAsync<StoreProtocol.Info>(new StoreProtocol.GetInfo())).Driver;
    }
}
