using System.Net.Sockets;
using System.Text;
using Akka.Actor;
using StorageActors.Client;
using StorageActors.Node.Server;
using StorageActors.Node.Wire;
using StorageActors.Protocol;
using StorageActors.TestSupport;

namespace StorageActors.FaultTests.Fuzzing;

/// <summary>A node on its socket. Whatever comes, it answers, or hangs up; it never calls a request its own defect, and it serves the next one.</summary>
internal sealed class HttpTarget : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan BeforeAnswer = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan AfterAnswer = TimeSpan.FromMilliseconds(10);
    private readonly TempDirectory _directory;
    private readonly NodeServer _server;
    private readonly List<string> _defects;

    private HttpTarget(TempDirectory directory, NodeServer server, List<string> defects) => (_directory, _server, _defects) = (directory, server, defects);

    internal static FuzzTarget Open()
    {
        var (directory, defects) = (new TempDirectory(), new List<string>());
        void Report(string line)
        {
            lock (defects) defects.Add(line);
        }

        var options = new NodeServerOptions(directory["node.sock"], directory.Path, Report, static (_, _) => { });
        var server = NodeServer.StartAsync(options, static () => new RefusingChannel()).GetAwaiter().GetResult();
        var target = new HttpTarget(directory, server, defects);
        return new FuzzTarget("http", Samples(), target.Ask, static _ => false) { Owned = target };
    }

    /// <summary>Every command with a body that is right, and what is no command.</summary>
    private static List<byte[]> Samples()
    {
        var digest = Digest.Of("x"u8);
        object[] commands =
        [
            new StoreProtocol.Remove(LayerId.Parse("layer"), Force: true), new StoreProtocol.Check(), new StoreProtocol.GetInfo(),
            new StoreProtocol.Apply(LayerId.Parse("below"), [new StoreProtocol.ChainItem(
                BlobSource.File("/tmp/x"), new StoreProtocol.LayerSpec(LayerId.Parse("top"), ["n"]), new StoreProtocol.Expectations(digest, digest, 5, 6, 7))]),
            new StoreProtocol.WriteDiff(LayerId.Parse("layer"), null, new BlobTarget("/tmp/y"), LayerCompression.Gzip),
            new CatalogProtocol.ChangeNames(LayerId.Parse("layer"), null, ["a"], ["b"]), new CatalogProtocol.FindChain(digest),
            new LayerProtocol.Release(LayerId.Parse("layer"), LeaseId.Parse("lease")),
        ];
        return
        [
            .. commands.Select(static command => Records.Request(CommandTable.PathOf(command.GetType()), Encoding.UTF8.GetString(WireJson.Write(command)))),
            .. CommandTable.All.Keys.Select(static path => Records.Request(path, "{}")),
            "GET /v1/health HTTP/1.1\r\nHost: node\r\n\r\n"u8.ToArray(),
            "POST /v1/store/Check HTTP/1.1\r\nHost: node\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"u8.ToArray(),
        ];
    }

    private void Ask(byte[] request)
    {
        var answer = Encoding.Latin1.GetString(Exchange(request));
        if (answer.Contains("HTTP/1.1 500", StringComparison.Ordinal)) throw new InvalidDataException("it calls it a defect of its own: " + answer);
        lock (_defects)
        {
            if (_defects.Count > 0) throw new InvalidDataException(string.Join('\n', _defects));
        }
        var health = Encoding.Latin1.GetString(Exchange("GET /v1/health HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n"u8.ToArray(), isWhole: true));
        if (!health.StartsWith("HTTP/1.1 200", StringComparison.Ordinal)) throw new InvalidDataException("afterwards it does not serve: " + health);
    }

    private byte[] Exchange(byte[] request, bool isWhole = false)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { ReceiveTimeout = (int)Patience.TotalMilliseconds };
        socket.Connect(new UnixDomainSocketEndPoint(_directory["node.sock"]));
        using var answer = new MemoryStream();
        try
        {
            socket.Send(request);
            // A request that is whole is answered; one that is not waits for its rest, until it is told that there is none.
            var buffer = new byte[1 << 14];
            while (socket.Poll(isWhole ? Patience : answer.Length > 0 ? AfterAnswer : BeforeAnswer, SelectMode.SelectRead) && socket.Receive(buffer) is > 0 and var count) answer.Write(buffer, 0, count);
            socket.Shutdown(SocketShutdown.Send);
            while (socket.Receive(buffer) is > 0 and var count) answer.Write(buffer, 0, count);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown or SocketError.NotConnected)
        {
            // It hung up: that is an answer, too.
        }
        return answer.ToArray();
    }

    public void Dispose()
    {
        _server.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _directory.Dispose();
    }

    /// <summary>A store that has nothing.</summary>
    private sealed class RefusingChannel : IStorageChannel
    {
        public IActorRef? Holder => ActorRefs.Nobody;

        public Task<TReply> AskAsync<TReply>(StoreProtocol.ICommand command, CancellationToken stop = default)
            where TReply : StoreProtocol.IReply =>
            Task.FromException<TReply>(new StorageException(new StorageError(StorageErrorCode.NotFound, "ask", "there is nothing here")));

        public Task<OpenTransfer> OpenUploadAsync(CancellationToken stop = default) => Task.FromResult(new OpenTransfer(TransferId.New(), new MemoryStream()));

        public Task<OpenTransfer> OpenDownloadAsync(CancellationToken stop = default) => Task.FromResult(new OpenTransfer(TransferId.New(), new MemoryStream()));

        public IDisposable WatchProgress(TicketId ticket, IProgress<StagingProgress> observer) => new MemoryStream();

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
