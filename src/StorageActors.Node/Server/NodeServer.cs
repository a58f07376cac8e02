using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using StorageActors.Client;
using StorageActors.Linux;
using StorageActors.Node.Wire;
using StorageActors.Protocol;

namespace StorageActors.Node.Server;

/// <summary>What a server is to know of its node.</summary>
/// <param name="Socket">Absolute path of the socket.</param>
/// <param name="Root">The root that the node serves, for those who ask.</param>
/// <param name="Report">Gets one line for each defect; never for a refusal.</param>
/// <param name="AbortTransfer">Gives up a stream whose client went away before its end, and says why; what came of it is not the whole.</param>
public sealed record NodeServerOptions(string Socket, string Root, Action<string> Report, Action<TransferId, string> AbortTransfer);

/// <summary>A store's messages as HTTP and JSON over a unix socket, for root and the node's own user.</summary>
public sealed class NodeServer : IAsyncDisposable
{
    /// <summary>Commands may carry an image's documents, in base64; uploads are not bounded.</summary>
    internal const long LongestCommand = 64 << 20;

    private readonly WebApplication _application;
    private readonly SocketPath _socket;
    private readonly NodeEndpoints _endpoints;

    private NodeServer(WebApplication application, SocketPath socket, NodeEndpoints endpoints) =>
        (_application, _socket, _endpoints) = (application, socket, endpoints);

    /// <summary>Starts to serve. Clients are answered once this has returned.</summary>
    /// <param name="options">Where, and what to say of it.</param>
    /// <param name="openChannel">Opens a channel to the store; one is opened for each request and disposed with it.</param>
    /// <param name="stop">Gives up starting.</param>
    /// <exception cref="StorageException">The socket is taken, or cannot be made.</exception>
    public static async Task<NodeServer> StartAsync(NodeServerOptions options, Func<IStorageChannel> openChannel, CancellationToken stop = default)
    {
        var socket = new SocketPath(options.Socket);
        WebApplication? application = null;
        try
        {
            var endpoints = new NodeEndpoints(options, openChannel);
            application = Build(socket);
            application.Run(endpoints.ServeAsync);
            await application.StartAsync(stop);
            return new NodeServer(application, socket, endpoints);
        }
        catch (Exception e)
        {
            if (application is not null) await application.DisposeAsync();
            socket.Dispose();
            if (e.GetBaseException() is StorageException refusal && !ReferenceEquals(refusal, e)) throw new StorageException(refusal.Error, e);
            throw;
        }
    }

    /// <summary>
    /// Takes no new work, waits for the commands that run, and cancels those that take longer than <paramref name="patience"/>. The socket
    /// file is gone afterwards.
    /// </summary>
    /// <param name="patience">How long commands may still run.</param>
    public async Task DrainAsync(TimeSpan patience)
    {
        await _endpoints.BeginDrainAsync();
        using var impatience = new CancellationTokenSource(patience);
        await _application.StopAsync(impatience.Token);
        await _endpoints.WhenIdleAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await DrainAsync(TimeSpan.Zero);
        await _application.DisposeAsync();
        _socket.Dispose();
    }

    private static WebApplication Build(SocketPath socket)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton<IHostLifetime, SignalsAreTheCallers>();
        builder.Services.Configure<SocketTransportOptions>(transport => transport.CreateBoundListenSocket = _ => NodeSocket.Bind(socket));
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = LongestCommand;
            // A tar comes as slowly as its source gives it, and a diff goes as slowly as its reader takes it.
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Listen(socket.EndPoint, listen =>
            {
                listen.Protocols = HttpProtocols.Http1;
                var ownUid = Libc.GetEuid();
                listen.Use(next => connection =>
                {
                    var peer = PeerCredentials.Of(connection.Features.Get<IConnectionSocketFeature>()!.Socket);
                    if (!peer.MayUseNodeOf(ownUid)) connection.Items[NodeEndpoints.RefusedPeer] = peer;
                    return next(connection);
                });
            });
        });
        return builder.Build();
    }
}
