using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Akka.Configuration;
using StorageActors.Engine;
using StorageActors.Node.Doors;
using StorageActors.Protocol;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.EndToEndTests.Docker;

/// <summary>A store with a door for Docker on a real socket, called as dockerd calls it; when it is closed, the store must be at rest.</summary>
internal sealed class OpenGraphDriver : IAsyncDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly bool _exactDiffs;
    private NodeDoors _doors = null!;
    private HttpClient _http = null!;

    private OpenGraphDriver(bool exactDiffs) => _exactDiffs = exactDiffs;

    internal StorageEngine Engine { get; private set; } = null!;

    private string Root => _directory["store"];

    private string Socket => _directory["door.sock"];

    internal static async Task<OpenGraphDriver> OpenAsync(bool exactDiffs = false)
    {
        RequiredTiers.SkipUnlessRoot();
        var door = new OpenGraphDriver(exactDiffs);
        await door.StartAsync();
        return door;
    }

    /// <summary>A new engine and a new door on the same store, and no word to the client.</summary>
    internal async Task RestartAsync()
    {
        await StopAsync();
        await StartAsync();
    }

    /// <summary>Calls a method and expects it to work.</summary>
    internal async Task<JsonElement> CallAsync(string method, string body = "{}")
    {
        var (status, answer) = await TryAsync(method, body);
        var json = JsonDocument.Parse(answer).RootElement;
        Assert.True(status == HttpStatusCode.OK, $"{method} {body}: {status} {answer}");
        if (json.TryGetProperty("Err", out var error)) Assert.Equal("", error.GetString());
        return json;
    }

    /// <summary>Calls a method and expects an error, in the form that dockerd reads.</summary>
    internal async Task<string> RefusedAsync(string method, string body)
    {
        var (status, answer) = await TryAsync(method, body);
        Assert.NotEqual(HttpStatusCode.OK, status);
        return JsonDocument.Parse(answer).RootElement.GetProperty("Err").GetString()!;
    }

    internal async Task<(HttpStatusCode Status, string Answer)> TryAsync(string method, string body)
    {
        // As Docker sends it: no content type, and up to version 23 no host either.
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        using var response = await _http.PostAsync(Path(method), content);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    /// <summary>ApplyDiff, as a stream of unknown length; null for an error.</summary>
    internal async Task<long?> ApplyAsync(string id, string parent, byte[] tar)
    {
        using var content = new StreamContent(new MemoryStream(tar));
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://plugin/GraphDriver.ApplyDiff?id={id}&parent={parent}") { Content = content };
        request.Headers.TransferEncodingChunked = true;
        using var response = await _http.SendAsync(request);
        var answer = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
        return response.IsSuccessStatusCode ? answer.GetProperty("Size").GetInt64() : null;
    }

    /// <summary>An ApplyDiff whose sender dies in the middle, when the filling has begun.</summary>
    internal async Task BreakOffApplyAsync(string id, string parent, byte[] beginning)
    {
        using var socket = Connect();
        var head = $"POST /GraphDriver.ApplyDiff?id={id}&parent={parent} HTTP/1.1\r\nHost:\r\nTransfer-Encoding: chunked\r\n\r\n{beginning.Length:x}\r\n";
        await socket.SendAsync(Encoding.ASCII.GetBytes(head));
        await socket.SendAsync(beginning);
        await socket.SendAsync("\r\n"u8.ToArray());
        using var late = new CancellationTokenSource(TimeSpan.FromMinutes(8));
        while ((await Engine.Client.ListLayersAsync()).Single(layer => layer.Id.Value == id).Labels.Count < 2) await Task.Delay(10, late.Token); // Until it is marked.
    }

    internal async Task<byte[]> DiffAsync(string id, string parent)
    {
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes($$"""{"ID":"{{id}}","Parent":"{{parent}}"}"""));
        using var response = await _http.PostAsync(Path("GraphDriver.Diff"), content);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.Content.ReadAsByteArrayAsync();
    }

    internal Task CreateAsync(string id, string parent = "") => CallAsync("GraphDriver.Create", Layer(id, parent));

    internal async Task<string> GetAsync(string id) => (await CallAsync("GraphDriver.Get", Layer(id))).GetProperty("Dir").GetString()!;

    internal Task PutAsync(string id) => CallAsync("GraphDriver.Put", Layer(id));

    internal Task RemoveAsync(string id) => CallAsync("GraphDriver.Remove", Layer(id));

    internal static string Layer(string id, string parent = "") =>
        parent.Length == 0 ? $$"""{"ID":"{{id}}"}""" : $$"""{"ID":"{{id}}","Parent":"{{parent}}"}""";

    public async ValueTask DisposeAsync()
    {
        var staged = await StoresInProcess.StagedAsync(Root);
        await StopAsync();
        _directory.Dispose();
        Assert.Empty(staged);
    }

    private static string Path(string method) => "http://plugin/" + method;

    private async Task StartAsync()
    {
        Engine = await StorageEngine.StartAsync(ConfigurationFactory.ParseString($"storage-actors.root = \"{Root}\"\n{StoresInProcess.Patience}"));
        var settings = new DoorSettings("docker", DoorType.Docker, Socket, null, _exactDiffs);
        _doors = await NodeDoors.OpenAsync([settings], Engine, static text => throw new InvalidOperationException(text), CancellationToken.None);
        _http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = (_, _) => ValueTask.FromResult<Stream>(new NetworkStream(Connect(), ownsSocket: true)),
        })
        { Timeout = TimeSpan.FromMinutes(8) };
        _http.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/vnd.docker.plugins.v1.2+json"));
    }

    private Socket Connect()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(Socket));
        return socket;
    }

    private async Task StopAsync()
    {
        _http.Dispose();
        await _doors.DisposeAsync();
        await Engine.DisposeAsync();
    }
}
