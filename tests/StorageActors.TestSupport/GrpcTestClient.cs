using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;

namespace StorageActors.TestSupport;

/// <summary>The gRPC of a client that knows only bytes: .NET's own HTTP/2 over a unix socket.</summary>
public sealed class GrpcTestClient : IDisposable
{
    private readonly HttpClient _http;

    /// <summary>Connects with the first call.</summary>
    public GrpcTestClient(string socket) => _http = new HttpClient(new SocketsHttpHandler
    {
        ConnectCallback = async (_, stop) =>
        {
            var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), stop);
                return new NetworkStream(connection, ownsSocket: true);
            }
            catch
            {
                connection.Dispose();
                throw;
            }
        },
    })
    {
        Timeout = TimeSpan.FromMinutes(8),
    };

    /// <summary>Calls a method with one message.</summary>
    public Task<GrpcTestAnswer> CallAsync(string path, byte[] message, string? timeout = null, CancellationToken stop = default) =>
        SendAsync(path, Frame(message), request =>
        {
            if (timeout is not null) request.Headers.Add("grpc-timeout", timeout);
        }, stop);

    /// <summary>Sends a body as it is.</summary>
    public async Task<GrpcTestAnswer> SendAsync(string path, byte[] body, Action<HttpRequestMessage>? change = null, CancellationToken stop = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://localhost" + path)
        {
            Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = new ByteArrayContent(body),
        };
        request.Headers.Add("te", "trailers");
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        change?.Invoke(request);
        using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop);
        var content = await response.Content.ReadAsByteArrayAsync(stop);
        var inHeaders = Value(response.Headers, "grpc-status") is not null;
        var status = Value(response.Headers, "grpc-status") ?? Value(response.TrailingHeaders, "grpc-status");
        return new GrpcTestAnswer(
            (int)response.StatusCode, status is null ? null : int.Parse(status, System.Globalization.CultureInfo.InvariantCulture),
            Value(response.Headers, "grpc-message") ?? Value(response.TrailingHeaders, "grpc-message") ?? "", Messages(content), inHeaders);
    }

    /// <summary>A message with its five bytes before it.</summary>
    public static byte[] Frame(ReadOnlySpan<byte> message)
    {
        var frame = new byte[5 + message.Length];
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(1), (uint)message.Length);
        message.CopyTo(frame.AsSpan(5));
        return frame;
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private static string? Value(HttpResponseHeaders headers, string name) => headers.TryGetValues(name, out var values) ? values.Single() : null;

    private static List<byte[]> Messages(byte[] content)
    {
        var messages = new List<byte[]>();
        for (var at = 0; at < content.Length;)
        {
            var length = (int)BinaryPrimitives.ReadUInt32BigEndian(content.AsSpan(at + 1));
            messages.Add(content.AsSpan(at + 5, length).ToArray());
            at += 5 + length;
        }

        return messages;
    }
}

/// <summary>What came back.</summary>
/// <param name="HttpStatus">The status of HTTP.</param>
/// <param name="Status">The status of gRPC; null when there was none.</param>
/// <param name="Message">Its text, still encoded.</param>
/// <param name="Messages">The messages.</param>
/// <param name="InHeaders">Whether the status came in the headers, without anything else.</param>
public sealed record GrpcTestAnswer(int HttpStatus, int? Status, string Message, IReadOnlyList<byte[]> Messages, bool InHeaders);
