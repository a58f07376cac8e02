using System.Text.Json;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using StorageActors.Client;
using StorageActors.Node.Wire;
using StorageActors.Protocol;

namespace StorageActors.Node.Server;

/// <summary>Takes requests to what serves them, and turns whatever goes wrong into one error body.</summary>
internal sealed class NodeEndpoints
{
    /// <summary>The key under which a connection carries the credentials of a peer that is not served.</summary>
    internal static readonly object RefusedPeer = new();

    private readonly NodeServerOptions _options;
    private readonly CommandEndpoint _commands;
    private readonly TransferEndpoint _transfers;
    private readonly ProgressEndpoint _progress;
    private readonly InFlight _inFlight = new();
    private readonly CancellationTokenSource _draining = new();

    internal NodeEndpoints(NodeServerOptions options, Func<IStorageChannel> openChannel)
    {
        _options = options;
        _commands = new CommandEndpoint(openChannel);
        _transfers = new TransferEndpoint(openChannel, options.AbortTransfer, TimeProvider.System);
        _progress = new ProgressEndpoint(openChannel, _draining.Token);
    }

    /// <summary>Refuses new commands and ends the progress streams, which would else keep their connections busy.</summary>
    internal Task BeginDrainAsync() => _draining.CancelAsync();

    /// <summary>Completes when no request is being served.</summary>
    internal Task WhenIdleAsync() => _inFlight.WhenIdleAsync();

    internal async Task ServeAsync(HttpContext context)
    {
        using var running = _inFlight.Enter();
        try
        {
            if (Stranger(context) is { } peer) await RefuseAsync(context, NotServed(context, peer), StatusCodes.Status403Forbidden);
            else await RouteAsync(context);
        }
        catch (StorageException e)
        {
            await RefuseAsync(context, e.Error);
        }
        catch (JsonException e)
        {
            await RefuseAsync(context, Invalid(context, $"the body is not what the command takes: {e.Message}"));
        }
        catch (BadHttpRequestException e)
        {
            var code = e.StatusCode == StatusCodes.Status413PayloadTooLarge ? StorageErrorCode.LimitExceeded : StorageErrorCode.InvalidArgument;
            await RefuseAsync(context, new StorageError(code, context.Request.Path, e.Message), e.StatusCode);
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is left who could read an answer.
        }
        catch (Exception e)
        {
            _options.Report($"{context.Request.Method} {context.Request.Path}: {e}");
            await RefuseAsync(context, new StorageError(StorageErrorCode.Internal, context.Request.Path, $"{e.GetType().Name}: {e.Message}"));
        }
    }

    private Task RouteAsync(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "";
        if (path == CommandTable.Prefix + "health") return Answer(context, Health());
        if (path == CommandTable.Prefix + "progress") return _progress.ServeAsync(context);
        if (_transfers.Serves(path)) return _transfers.ServeAsync(context, path);
        if (CommandTable.Find(path) is not { } command)
        {
            throw new StorageException(Invalid(context, $"there is no {path}; commands are at {CommandTable.Prefix}store/, /layer/ and /catalog/"));
        }

        if (_draining.IsCancellationRequested)
        {
            throw new StorageException(new StorageError(StorageErrorCode.ShuttingDown, command.Name, "the node is stopping and takes no new work. Ask again when it runs."));
        }

        return _commands.ServeAsync(context, command);
    }

    private WireHealth Health() => new(
        _draining.IsCancellationRequested ? "draining" : "ready",
        typeof(NodeServer).Assembly.GetName().Version!.ToString(3),
        Environment.ProcessId,
        _options.Root);

    private static PeerCredentials? Stranger(HttpContext context) =>
        context.Features.Get<IConnectionItemsFeature>() is { } connection
        && connection.Items.TryGetValue(RefusedPeer, out var found) ? (PeerCredentials?)found : null;

    private static StorageError NotServed(HttpContext context, PeerCredentials peer) => new(
        StorageErrorCode.Unsupported, context.Request.Path, $"the node serves root and its own user, not uid {peer.Uid}. Ask as one of these.", Errno: "EACCES");

    internal static async Task Answer(HttpContext context, object body, int status = StatusCodes.Status200OK)
    {
        var json = WireJson.Write(body);
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = json.Length;
        await context.Response.Body.WriteAsync(json, context.RequestAborted);
    }

    internal static StorageError Invalid(HttpContext context, string message) =>
        new(StorageErrorCode.InvalidArgument, context.Request.Path, message);

    private static async Task RefuseAsync(HttpContext context, StorageError error, int? status = null)
    {
        if (context.Response.HasStarted)
        {
            // The head said success. Only a broken connection tells the client that the body is not whole.
            context.Abort();
            return;
        }

        try
        {
            await Answer(context, new WireError(error), status ?? ErrorStatus.Of(error.Code));
        }
        catch (OperationCanceledException)
        {
            // Nobody is left who could read it.
        }
    }
}
