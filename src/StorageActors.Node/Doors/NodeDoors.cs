using Microsoft.AspNetCore.Server.Kestrel.Core;
using StorageActors.Client;
using StorageActors.Containerd.Serving;
using StorageActors.Docker.GraphDriver;
using StorageActors.Engine;
using StorageActors.Grpc.Serving;
using StorageActors.Protocol;
using StorageActors.Store;

namespace StorageActors.Node.Doors;

/// <summary>The doors of one node, open from the start to the end of it.</summary>
internal sealed class NodeDoors : IAsyncDisposable
{
    private readonly List<DoorServer> _servers = [];
    private readonly List<StorageClient> _clients = [];

    /// <summary>Opens all doors, or none.</summary>
    /// <param name="doors">Which.</param>
    /// <param name="engine">The engine behind them.</param>
    /// <param name="report">Gets one text for each defect.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="StorageException">A door's socket is taken, or cannot be made.</exception>
    internal static async Task<NodeDoors> OpenAsync(IReadOnlyList<DoorSettings> doors, StorageEngine engine, Action<string> report, CancellationToken stop)
    {
        var opened = new NodeDoors();
        try
        {
            foreach (var door in doors) await opened.OpenAsync(door, engine, report, stop);
            return opened;
        }
        catch
        {
            await opened.DisposeAsync();
            throw;
        }
    }

    /// <summary>Takes no new calls, and lets those that run end for so long.</summary>
    internal Task DrainAsync(TimeSpan patience) => Task.WhenAll(_servers.Select(server => server.DrainAsync(patience)));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers) await server.DisposeAsync();
        foreach (var client in _clients) await client.DisposeAsync();
    }

    private async Task OpenAsync(DoorSettings door, StorageEngine engine, Action<string> report, CancellationToken stop)
    {
        var client = new StorageClient(engine.OpenChannel());
        _clients.Add(client);
        _servers.Add(door.Type switch
        {
            DoorType.Containerd => await DoorServer.StartAsync(door, HttpProtocols.Http2, Containerd(door, engine, client, report).ServeAsync, stop),
            DoorType.Docker => await DoorServer.StartAsync(door, HttpProtocols.Http1, Docker(door, engine, client, report).ServeAsync, stop),
            _ => throw new InvalidOperationException($"nothing serves doors of the type {door.Type}"),
        });
    }

    private static GrpcEndpoint Containerd(DoorSettings door, StorageEngine engine, StorageClient client, Action<string> report) =>
        new(ContainerdDoor.Services(door.Name, door.Content, client), new GrpcOptions
        {
            Translate = ContainerdDoor.Translate,
            Report = report,
            Ended = call => Count(engine, door, call.Method[(call.Method.LastIndexOf('/') + 1)..], call.Status.ToString(), call.Duration),
        });

    private static GraphDriverDoor Docker(DoorSettings door, StorageEngine engine, StorageClient client, Action<string> report) =>
        new(door.Name, client, new GraphDriverOptions
        {
            ReproducesExactDiffs = door.ExactDiffs,
            Report = report,
            Ended = (method, outcome, duration) => Count(engine, door, method, outcome, duration),
        });

    /// <summary>Counted by the store with all else that it counts, under the door's name and the method's.</summary>
    private static void Count(StorageEngine engine, DoorSettings door, string method, string outcome, TimeSpan duration) =>
        engine.Store.Actor.Tell(new StoreInternal.CallEnded($"{door.Name} {method}", outcome, duration), Akka.Actor.ActorRefs.NoSender);
}
