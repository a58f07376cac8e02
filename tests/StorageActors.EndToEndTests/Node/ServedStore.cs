using System.Net.Sockets;
using StorageActors.Node.Client;
using StorageActors.Node.Server;

namespace StorageActors.EndToEndTests.Node;

/// <summary>A fake store behind a real server on a real socket, in a directory of its own.</summary>
internal sealed class ServedStore : IAsyncDisposable
{
    private readonly DirectoryInfo _directory;

    private ServedStore(DirectoryInfo directory, NodeServer server, string socket) => (_directory, Server, Socket) = (directory, server, socket);

    internal NodeServer Server { get; }

    internal string Socket { get; }

    internal static async Task<ServedStore> StartAsync(FakeStore store, string name = "node.sock")
    {
        var directory = Directory.CreateTempSubdirectory("storage-actors-node-");
        var socket = Path.Combine(directory.FullName, name);
        Directory.CreateDirectory(Path.GetDirectoryName(socket)!);
        var server = await NodeServer.StartAsync(new NodeServerOptions(socket, "/root/of/it", Console.Error.WriteLine, store.Abort), store.Open);
        return new ServedStore(directory, server, socket);
    }

    internal async Task<HttpStorageChannel> ConnectAsync() =>
        await HttpStorageChannel.TryConnectAsync(Socket) ?? throw new InvalidOperationException("nobody serves " + Socket);

    /// <summary>A client that speaks HTTP without our help.</summary>
    internal HttpClient Raw() => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, stop) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(Socket), stop);
            return new NetworkStream(socket, ownsSocket: true);
        },
        Expect100ContinueTimeout = TimeSpan.FromMinutes(8),
    }) { BaseAddress = new Uri("http://node") };

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        _directory.Delete(recursive: true);
    }
}
