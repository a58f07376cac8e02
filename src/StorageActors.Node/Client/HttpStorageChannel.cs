using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using Akka.Actor;
using StorageActors.Client;
using StorageActors.Linux;
using StorageActors.Node.Wire;
using StorageActors.Protocol;

namespace StorageActors.Node.Client;

/// <summary>
/// The way to a store behind a node's socket. Leases taken through it last until they are released by name; an extraction is cancelled when
/// this side's process ends, as its connection ends with it.
/// </summary>
public sealed class HttpStorageChannel : IStorageChannel
{
    private static readonly MediaTypeHeaderValue Json = new("application/json");

    /// <summary>Only where a node takes no more connections there is something to wait for.</summary>
    private static readonly TimeSpan ConnectPatience = TimeSpan.FromSeconds(5);

    private readonly SocketPath _path;
    private readonly HttpClient _http;
    private readonly bool _mayBlock;
    private Socket? _first;

    private HttpStorageChannel(SocketPath path, Socket first, bool mayBlock)
    {
        (_path, _first, _mayBlock) = (path, first, mayBlock);
        var handler = new SocketsHttpHandler { ConnectCallback = ConnectAsync, UseProxy = false, AllowAutoRedirect = false, ActivityHeadersPropagator = null };
        _http = new HttpClient(handler) { BaseAddress = new Uri("http://node"), Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <inheritdoc/>
    public IActorRef? Holder => null;

    /// <summary>Connects to the node that serves a socket, or says that none does: no file, or one that a dead node left.</summary>
    /// <param name="socket">Absolute path of the socket.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="StorageException">There is one and it cannot be reached: no permission, for instance.</exception>
    public static Task<HttpStorageChannel?> TryConnectAsync(string socket, CancellationToken stop = default) => TryConnectAsync(socket, mayBlock: false, stop);

    /// <summary>
    /// As the public one. <paramref name="mayBlock"/>: for a process that has nothing else to do, where short commands are answered before the call returns; what waits without a
    /// thread is code of its own for each method on the way, which is compiled when it first has to wait, and that is a third of what such a process takes.
    /// </summary>
    internal static async Task<HttpStorageChannel?> TryConnectAsync(string socket, bool mayBlock, CancellationToken stop)
    {
        if (!File.Exists(socket)) return null;
        var path = new SocketPath(socket);
        try
        {
            return new HttpStorageChannel(path, mayBlock ? Open(path, stop) : await OpenAsync(path, stop), mayBlock);
        }
        catch (OperationCanceledException)
        {
            path.Dispose();
            throw;
        }
        catch (SocketException e)
        {
            path.Dispose();
            if (e.SocketErrorCode == SocketError.ConnectionRefused || !File.Exists(socket)) return null;
            var errno = ((Errno)e.NativeErrorCode).ToString();
            var what = e.NativeErrorCode == (int)Errno.EAGAIN
                ? $"the node at {socket} takes no more connections at this moment ({errno}): it has too many, or does not get on. Try again; see its log if that does not help."
                : $"cannot reach the node at {socket}: {e.Message} ({errno}). Run as root or as the node's user.";
            throw new StorageException(new StorageError(StorageErrorCode.Io, "connect", what, socket, errno), e);
        }
    }

    /// <inheritdoc/>
    public async Task<TReply> AskAsync<TReply>(StoreProtocol.ICommand command, CancellationToken stop = default)
        where TReply : StoreProtocol.IReply
    {
        using var content = new ByteArrayContent(WireJson.Write(command)) { Headers = { ContentType = Json } };
        using var request = new HttpRequestMessage(HttpMethod.Post, CommandTable.PathOf(command.GetType())) { Content = content };
        return await CallAsync<TReply>(request, stop, blocks: _mayBlock && CommandJson.IsShort(command));
    }

    /// <summary>What the node says of itself.</summary>
    /// <param name="stop">Gives up.</param>
    public async Task<WireHealth> HealthAsync(CancellationToken stop = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, CommandTable.Prefix + "health");
        return await CallAsync<WireHealth>(request, stop);
    }

    /// <inheritdoc/>
    public async Task<OpenTransfer> OpenUploadAsync(CancellationToken stop = default)
    {
        var id = await OpenTransferAsync("uploads", stop);
        return new OpenTransfer(id, new UploadStream(_http, $"{CommandTable.Prefix}uploads/{id}"));
    }

    /// <inheritdoc/>
    public async Task<OpenTransfer> OpenDownloadAsync(CancellationToken stop = default)
    {
        var id = await OpenTransferAsync("downloads", stop);
        var response = await _http.GetAsync($"{CommandTable.Prefix}downloads/{id}", HttpCompletionOption.ResponseHeadersRead, stop);
        try
        {
            await ThrowIfRefusedAsync(response, stop);
            return new OpenTransfer(id, await response.Content.ReadAsStreamAsync(stop));
        }
        catch
        {
            response.Dispose(); // Its connection would be kept from the next request.
            throw;
        }
    }

    /// <inheritdoc/>
    public IDisposable WatchProgress(TicketId ticket, IProgress<StagingProgress> observer) => new ProgressFeed(_http, ticket, observer);

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _http.Dispose();
        Interlocked.Exchange(ref _first, null)?.Dispose();
        _path.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<TransferId> OpenTransferAsync(string kind, CancellationToken stop)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, CommandTable.Prefix + kind);
        return (await CallAsync<WireTransfer>(request, stop)).Id;
    }

    [SuppressMessage("Design", "MA0042", Justification = "See TryConnectAsync.")]
    private async Task<T> CallAsync<T>(HttpRequestMessage request, CancellationToken stop, bool blocks = false)
    {
        try
        {
            using var response = blocks ? _http.Send(request, stop) : await _http.SendAsync(request, stop);
            await ThrowIfRefusedAsync(response, stop);
            return WireJson.Read<T>(await response.Content.ReadAsByteArrayAsync(stop));
        }
        catch (HttpRequestException e)
        {
            throw new StorageException(
                new StorageError(StorageErrorCode.ShuttingDown, request.RequestUri!.OriginalString, $"the node at {_path.Path} went away before it answered. See its log, start it again, and repeat.", _path.Path), e);
        }
        catch (JsonException e)
        {
            throw new StorageException(
                new StorageError(StorageErrorCode.Internal, request.RequestUri!.OriginalString, $"what serves {_path.Path} does not answer as a node does: {e.Message}", _path.Path), e);
        }
    }

    private static async Task ThrowIfRefusedAsync(HttpResponseMessage response, CancellationToken stop)
    {
        if (response.IsSuccessStatusCode) return;
        var body = await response.Content.ReadAsByteArrayAsync(stop);
        if (body.Length == 0) throw new JsonException($"status {(int)response.StatusCode} without a body");
        throw new StorageException(WireJson.Read<WireError>(body).Error);
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken stop) =>
        new NetworkStream(Interlocked.Exchange(ref _first, null) ?? await OpenAsync(_path, stop), ownsSocket: true);

    /// <summary>Waits without looking at <paramref name="stop"/>, for <see cref="ConnectPatience"/> at most.</summary>
    private static Socket Open(SocketPath path, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.SendTimeout = (int)ConnectPatience.TotalMilliseconds;
            socket.Connect(path.EndPoint);
            socket.SendTimeout = 0;
            return socket;
        }
        catch (Exception e)
        {
            socket.Dispose();
            if (e is SocketException) stop.ThrowIfCancellationRequested();
            throw;
        }
    }

    private static async Task<Socket> OpenAsync(SocketPath path, CancellationToken stop)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(path.EndPoint, stop);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
