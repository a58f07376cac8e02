using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using StorageActors.Linux;
using StorageActors.Node.Server;
using StorageActors.Node.Wire;
using StorageActors.Protocol;

namespace StorageActors.Node.Doors;

/// <summary>One door's socket, of mode 0600, for root and the node's own user; no TLS.</summary>
internal sealed class DoorServer : IAsyncDisposable
{
    /// <summary>A client keeps its connection for as long as it lives, and may be silent for days.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromDays(7);

    private readonly WebApplication _application;
    private readonly SocketPath _socket;
    private readonly InFlight _inFlight;

    private DoorServer(WebApplication application, SocketPath socket, InFlight inFlight) => (_application, _socket, _inFlight) = (application, socket, inFlight);

    /// <summary>Starts to serve.</summary>
    /// <param name="door">Which door.</param>
    /// <param name="protocols">HTTP/1.1, or HTTP/2 from the first byte.</param>
    /// <param name="serve">What is behind it.</param>
    /// <param name="stop">Gives up starting.</param>
    /// <exception cref="StorageException">The socket is taken, or cannot be made.</exception>
    internal static async Task<DoorServer> StartAsync(DoorSettings door, HttpProtocols protocols, RequestDelegate serve, CancellationToken stop)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(door.Socket)!);
        var socket = new SocketPath(door.Socket);
        var inFlight = new InFlight();
        WebApplication? application = null;
        try
        {
            application = Build(socket, protocols, $"storage-actors.doors.{door.Name}.socket");
            application.Run(async context =>
            {
                using var running = inFlight.Enter();
                await serve(context);
            });
            await application.StartAsync(stop);
            return new DoorServer(application, socket, inFlight);
        }
        catch (Exception e)
        {
            if (application is not null) await application.DisposeAsync();
            socket.Dispose();
            if (e.GetBaseException() is StorageException refusal && !ReferenceEquals(refusal, e)) throw new StorageException(refusal.Error, e);
            throw;
        }
    }

    /// <summary>Takes no new calls, and lets those that run end for so long.</summary>
    internal async Task DrainAsync(TimeSpan patience)
    {
        using var impatience = new CancellationTokenSource(patience);
        await _application.StopAsync(impatience.Token);
        await _inFlight.WhenIdleAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await DrainAsync(TimeSpan.Zero);
        await _application.DisposeAsync();
        _socket.Dispose();
    }

    private static WebApplication Build(SocketPath socket, HttpProtocols protocols, string setting)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton<IHostLifetime, SignalsAreTheCallers>();
        builder.Services.Configure<SocketTransportOptions>(transport => transport.CreateBoundListenSocket = _ => NodeSocket.Bind(socket, setting));
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null;   // A message has a limit of its own, and a layer may have any length.
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Limits.KeepAliveTimeout = Silence;
            kestrel.Listen(socket.EndPoint, listen =>
            {
                listen.Protocols = protocols;
                var ownUid = Libc.GetEuid();
                listen.Use(next => connection =>
                {
                    if (PeerCredentials.Of(connection.Features.Get<IConnectionSocketFeature>()!.Socket).MayUseNodeOf(ownUid)) return next(connection);
                    connection.Abort();
                    return Task.CompletedTask;
                });
            });
        });
        return builder.Build();
    }
}
