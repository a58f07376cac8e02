using System.Net;
using System.Net.Sockets;
using System.Text;
using StorageActors.Client;
using StorageActors.Node.Client;
using StorageActors.Node.Server;
using StorageActors.Protocol;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.EndToEndTests.Node;

/// <summary>The node's HTTP over a real socket, with a store behind it that says what the test wants.</summary>
public sealed class NodeServerTests
{
    private static readonly StoreProtocol.IReply NoLayers = new CatalogProtocol.Layers([]);

    [Fact]
    public async Task A_command_gets_its_reply()
    {
        var store = FakeStore.Answering(new LayerProtocol.Released(LayerId.Parse("ab"), 2));
        await using var served = await ServedStore.StartAsync(store);
        await using var client = new StorageClient(await served.ConnectAsync());
        Assert.Equal(2, await client.UnmountAsync(LayerId.Parse("ab"), LeaseId.Parse("me")));
        Assert.Equal(new LayerProtocol.Release(LayerId.Parse("ab"), LeaseId.Parse("me")), Assert.Single(store.Asked));
    }

    [Fact]
    public async Task A_refusal_arrives_whole()
    {
        var error = new StorageError(StorageErrorCode.InUse, "Remove", "layer ab has children: cd", "/x", "EBUSY");
        await using var served = await ServedStore.StartAsync(FakeStore.Answering(new StoreProtocol.Refused(error)));
        await using var client = new StorageClient(await served.ConnectAsync());
        var thrown = await Assert.ThrowsAsync<StorageException>(() => client.RemoveAsync(LayerId.Parse("ab")));
        Assert.Equal(error, thrown.Error);
    }

    [Theory]
    [InlineData(StorageErrorCode.NotFound, 404)]
    [InlineData(StorageErrorCode.InUse, 423)]
    [InlineData(StorageErrorCode.AlreadyExists, 409)]
    [InlineData(StorageErrorCode.DigestMismatch, 422)]
    [InlineData(StorageErrorCode.LimitExceeded, 413)]
    [InlineData(StorageErrorCode.Busy, 503)]
    [InlineData(StorageErrorCode.Internal, 500)]
    public async Task A_refusal_has_the_status_of_its_kind(StorageErrorCode code, int status)
    {
        await using var served = await ServedStore.StartAsync(FakeStore.Answering(new StoreProtocol.Refused(new StorageError(code, "x", "y"))));
        using var http = served.Raw();
        var response = await http.PostAsync("/v1/catalog/ListLayers", null);
        Assert.Equal(status, (int)response.StatusCode);
        var word = char.ToLowerInvariant(code.ToString()[0]) + code.ToString()[1..];
        Assert.Equal($$$"""{"error":{"code":"{{{word}}}","operation":"x","message":"y"}}""", await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("POST", "/v1/store/Explode", 400)]
    [InlineData("GET", "/v1/catalog/ListLayers", 400)]
    [InlineData("GET", "/", 400)]
    [InlineData("GET", "/v1/downloads/unknown", 404)]
    [InlineData("PUT", "/v1/uploads/unknown", 404)]
    [InlineData("GET", "/v1/progress", 400)]
    public async Task What_is_no_command_is_refused_with_a_reason(string method, string path, int status)
    {
        await using var served = await ServedStore.StartAsync(FakeStore.Answering(NoLayers));
        using var http = served.Raw();
        var response = await http.SendAsync(new HttpRequestMessage(new HttpMethod(method), path));
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Contains("\"error\":{\"code\":", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_over_the_limit_is_refused()
    {
        await using var served = await ServedStore.StartAsync(FakeStore.Answering(NoLayers));
        using var http = served.Raw();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/catalog/ListLayers") { Content = new ByteArrayContent(new byte[(64 << 20) + 1]) };
        request.Headers.ExpectContinue = true;   // asks before it sends
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await http.SendAsync(request)).StatusCode);
    }

    [Fact]
    public async Task An_upload_arrives_byte_for_byte_and_ends()
    {
        var store = FakeStore.Answering(NoLayers);
        await using var served = await ServedStore.StartAsync(store);
        await using var channel = await served.ConnectAsync();
        var upload = await channel.OpenUploadAsync();
        var sent = new byte[3_000_000];
        new Random(1).NextBytes(sent);
        var received = new MemoryStream();
        var receiving = store.Pipes[upload.Id.Value].Reader.CopyToAsync(received);
        foreach (var part in sent.Chunk(70_000)) await upload.Stream.WriteAsync(part);
        await upload.Stream.DisposeAsync();
        await receiving;
        Assert.True(sent.AsSpan().SequenceEqual(received.ToArray()));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(200_000)] // More than the pipe takes: the node waits for the store to read.
    public async Task An_upload_whose_client_goes_away_is_aborted_not_ended(int bytes)
    {
        var store = FakeStore.Answering(NoLayers);
        await using var served = await ServedStore.StartAsync(store);
        var channel = await served.ConnectAsync();
        var upload = await channel.OpenUploadAsync();
        await upload.Stream.WriteAsync(new byte[bytes]);
        await channel.DisposeAsync();
        Assert.Equal(upload.Id, await store.Aborted.Task);
        Assert.False(store.Pipes[upload.Id.Value].Reader.TryRead(out var read) && read.IsCompleted);
    }

    [Fact]
    public async Task Writing_to_an_upload_fails_once_the_store_has_stopped_reading()
    {
        var store = FakeStore.Answering(NoLayers);
        await using var served = await ServedStore.StartAsync(store);
        await using var channel = await served.ConnectAsync();
        var upload = await channel.OpenUploadAsync();
        await store.Pipes[upload.Id.Value].Reader.CompleteAsync(new IOException("full"));
        await Assert.ThrowsAsync<IOException>(async () =>
        {
            while (true) await upload.Stream.WriteAsync(new byte[100_000]);
        });
        await upload.Stream.DisposeAsync();
    }

    [Fact]
    public async Task A_download_arrives_byte_for_byte_and_a_broken_one_does_not_look_whole()
    {
        var store = FakeStore.Answering(NoLayers);
        await using var served = await ServedStore.StartAsync(store);
        await using var channel = await served.ConnectAsync();

        var whole = await channel.OpenDownloadAsync();
        await store.Pipes[whole.Id.Value].Writer.WriteAsync("some bytes"u8.ToArray());
        await store.Pipes[whole.Id.Value].Writer.CompleteAsync();
        using (var reader = new StreamReader(whole.Stream)) Assert.Equal("some bytes", await reader.ReadToEndAsync());

        var broken = await channel.OpenDownloadAsync();
        await store.Pipes[broken.Id.Value].Writer.WriteAsync("some bytes"u8.ToArray());
        await store.Pipes[broken.Id.Value].Writer.CompleteAsync(new IOException("digest"));
        using (var reader = new StreamReader(broken.Stream)) await Assert.ThrowsAnyAsync<IOException>(() => reader.ReadToEndAsync());
    }

    [Fact]
    public async Task Progress_is_a_line_each_until_the_extraction_is_done()
    {
        var store = FakeStore.Answering(NoLayers);
        await using var served = await ServedStore.StartAsync(store);
        using var http = served.Raw();
        var reading = http.GetStringAsync("/v1/progress?ticket=tt");
        await store.Watched.Task;
        store.Observers[0].Report(new StagingProgress(TicketId.Parse("tt"), StagingPhase.Extracting, 5, 10, 1));
        store.Observers[0].Report(new StagingProgress(TicketId.Parse("tt"), StagingPhase.Done, 10, null, 2));
        Assert.Equal(
            """
            {"ticket":"tt","phase":"extracting","bytesRead":5,"bytesTotal":10,"entries":1}
            {"ticket":"tt","phase":"done","bytesRead":10,"entries":2}

            """, await reading);
    }

    [Fact]
    public async Task A_client_that_goes_away_cancels_its_command()
    {
        var (arrived, cancelled) = (new TaskCompletionSource(), new TaskCompletionSource());
        var store = new FakeStore(async (_, stop) =>
        {
            arrived.SetResult();
            await using var registration = stop.Register(() => cancelled.SetResult());
            await Task.Delay(Timeout.InfiniteTimeSpan, stop);
            return NoLayers;
        });
        await using var served = await ServedStore.StartAsync(store);
        using (var http = served.Raw())
        {
            _ = http.PostAsync("/v1/catalog/ListLayers", null);
            await arrived.Task;
        }

        await cancelled.Task;
    }

    [Fact]
    public async Task An_apply_is_owned_by_its_request()
    {
        var store = FakeStore.Answering(new StoreProtocol.Applied([]));
        await using var served = await ServedStore.StartAsync(store);
        using var http = served.Raw();
        using var body = new StringContent("""{"items":[]}""", Encoding.UTF8, "application/json");
        Assert.Equal(HttpStatusCode.OK, (await http.PostAsync("/v1/store/Apply", body)).StatusCode);
        Assert.NotNull(Assert.IsType<StoreProtocol.Apply>(Assert.Single(store.Asked)).Owner);
    }

    [Fact]
    public async Task Draining_lets_a_running_command_end_and_then_the_socket_is_gone()
    {
        var (arrived, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var served = await ServedStore.StartAsync(new FakeStore(async (_, _) =>
        {
            arrived.SetResult();
            await release.Task;
            return NoLayers;
        }));
        await using var client = new StorageClient(await served.ConnectAsync());
        var listing = client.ListLayersAsync();
        await arrived.Task;
        var draining = served.Server.DrainAsync(TimeSpan.FromMinutes(8));
        release.SetResult();
        Assert.Empty(await listing);
        await draining;
        Assert.False(File.Exists(served.Socket));
        Assert.Null(await HttpStorageChannel.TryConnectAsync(served.Socket));
    }

    [Fact]
    public async Task A_node_that_takes_no_more_connections_is_told_from_one_that_cannot_be_reached()
    {
        using var directory = new TempDirectory();
        using var node = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        node.Bind(new UnixDomainSocketEndPoint(directory["node"]));
        node.Listen(0);
        using var waiting = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await waiting.ConnectAsync(new UnixDomainSocketEndPoint(directory["node"])); // There is room for one.
        var refused = await Assert.ThrowsAsync<StorageException>(() => HttpStorageChannel.TryConnectAsync(directory["node"]));
        Assert.Equal((StorageErrorCode.Io, "EAGAIN"), (refused.Error.Code, refused.Error.Errno));
        Assert.Contains("takes no more connections", refused.Error.Message, StringComparison.Ordinal);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => HttpStorageChannel.TryConnectAsync(directory["node"], mayBlock: true, new CancellationToken(canceled: true)));
    }

    [Fact]
    public async Task The_socket_is_for_its_owner_alone_and_a_second_server_is_refused()
    {
        var store = FakeStore.Answering(NoLayers);
        await using var served = await ServedStore.StartAsync(store);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(served.Socket));
        var refused = await Assert.ThrowsAsync<StorageException>(
            () => NodeServer.StartAsync(new NodeServerOptions(served.Socket, "/r", Console.Error.WriteLine, store.Abort), store.Open));
        Assert.Equal(StorageErrorCode.InUse, refused.Error.Code);
        Assert.Contains($"process {Environment.ProcessId}", refused.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_path_longer_than_a_socket_address_works_all_the_same()
    {
        var name = Path.Combine(new string('d', 120), "node.sock");
        await using var served = await ServedStore.StartAsync(FakeStore.Answering(NoLayers), name);
        await using var client = new StorageClient(await served.ConnectAsync());
        Assert.Empty(await client.ListLayersAsync());
    }
}
