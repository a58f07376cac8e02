using Akka.Configuration;
using StorageActors.Engine;
using StorageActors.Journal;
using StorageActors.Node.Doors;
using StorageActors.Node.Server;
using StorageActors.Protocol;
using StorageActors.Store;

namespace StorageActors.Node.Hosting;

/// <summary>The standalone node: an engine that owns a root, served over a socket until it is told to stop.</summary>
public static class NodeHost
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    /// <summary>
    /// Serves until <paramref name="stop"/> is cancelled, then drains: takes no new work, lets commands end for as long as
    /// <c>storage-actors.drain-timeout</c> says, cancels the rest, and stops the engine. Mounts held by leases without an owner stay.
    /// </summary>
    /// <param name="settings">Which store, and how.</param>
    /// <param name="defaultRoot">The root if nothing names one.</param>
    /// <param name="report">Gets the lines that people are to see: ready, draining, defects.</param>
    /// <param name="wait">How long the root may belong to somebody else: the node that this one is to follow.</param>
    /// <param name="stop">Begins the drain.</param>
    /// <exception cref="StorageException">Somebody else owns the root or serves the socket; or the store is damaged.</exception>
    public static async Task RunAsync(NodeSettings settings, string defaultRoot, Action<string> report, TimeSpan wait, CancellationToken stop)
    {
        var config = settings.ToConfig(defaultRoot);
        var socket = config.GetString("storage-actors.socket");
        var doors = DoorSettings.From(config);
        await using var engine = await StartAsync(config, socket, report, wait, stop);
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
        await TellMountsAsync(engine, report);
    }

    /// <summary>Leases of nobody in this process outlive it, and so do their mounts.</summary>
    private static async Task TellMountsAsync(StorageEngine engine, Action<string> report)
    {
        const int shown = 5;
        IReadOnlyList<MountRecord> mounts;
        try
        {
            mounts = await engine.Client.ListMountsAsync();
        }
        catch (StorageException)
        {
            return; // The store has ended by itself, and its log says why.
        }

        var staying = mounts.Where(static mount => mount.Path.Length > 0 && mount.Leases.Any(static lease => !LeaseEvent.IsActor(lease.Owner))).ToList();
        foreach (var mount in staying.Take(shown)) report($"still mounted: {mount.Path} for {string.Join(", ", mount.Leases.Select(static lease => lease.Lease.Value))}");
        if (staying.Count > shown) report($"still mounted: {staying.Count - shown} more; see storage-actors ps");
    }

    /// <summary>Where the process that owns a root listens; none when nobody owns it, or the owner does not listen.</summary>
    /// <param name="root">The root.</param>
    public static string? SocketOfOwner(string root) => OwnerLock.Find(root)?.Socket;

    /// <summary>
    /// An owner gives the root free when he has drained: then his leases that nobody in his process held are journaled, what they mounted stays mounted, and
    /// this engine takes it over.
    /// </summary>
    private static async Task<StorageEngine> StartAsync(Config config, string socket, Action<string> report, TimeSpan patience, CancellationToken stop)
    {
        var since = TimeProvider.System.GetTimestamp();
        using var timer = new PeriodicTimer(Interval);
        for (var told = false; ; await timer.WaitForNextTickAsync(stop))
        {
            try
            {
                // Whoever asks the lock who has it disturbs nobody; an engine that is started in vain would.
                if (patience == TimeSpan.Zero || OwnerLock.Find(config.GetString("storage-actors.root")) is null)
                    return await StorageEngine.StartAsync(config, socket, stop);
            }
            catch (StorageException e) when (e.Error.Code == StorageErrorCode.InUse && TimeProvider.System.GetElapsedTime(since) < patience)
            {
                // Somebody was quicker: a command, for as long as it runs, or another node that waited, too.
            }

            if (TimeProvider.System.GetElapsedTime(since) >= patience) return await StorageEngine.StartAsync(config, socket, stop);
            if (!told) report("waiting for the root's owner to give it free");
            told = true;
        }
    }

    private static async Task<string> DriverAsync(StorageEngine engine)
    {
        await using var channel = engine.OpenChannel();
        return (await channel.AskAsync<StoreProtocol.Info>(new StoreProtocol.GetInfo())).Driver;
    }
}
