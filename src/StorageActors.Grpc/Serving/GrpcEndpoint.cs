using Microsoft.AspNetCore.Http;
using StorageActors.Grpc.Calls;
using StorageActors.Grpc.Framing;

namespace StorageActors.Grpc.Serving;

/// <summary>
/// gRPC over HTTP/2 as a request handler for Kestrel: it finds the method of a request, keeps its deadline, and ends it with exactly one status, in trailers
/// after messages, or in headers alone when there are none.
/// </summary>
public sealed class GrpcEndpoint
{
    private const string ContentType = "application/grpc";
    private readonly Dictionary<string, GrpcMethod> _methods = new(StringComparer.Ordinal);
    private readonly GrpcOptions _options;

    /// <summary>An endpoint of these services.</summary>
    /// <param name="services">Each name once.</param>
    /// <param name="options">How to serve them.</param>
    public GrpcEndpoint(IEnumerable<GrpcService> services, GrpcOptions options)
    {
        _options = options;
        foreach (var (path, method) in services.SelectMany(static service => service.Methods)) _methods.Add(path, method);
    }

    /// <summary>Serves one request; never throws for what its caller did.</summary>
    /// <param name="context">The request.</param>
    public async Task ServeAsync(HttpContext context)
    {
        var begun = _options.Time.GetTimestamp();
        if (!IsCall(context)) return;
        var path = context.Request.Path.Value ?? "";
        var method = _methods.GetValueOrDefault(path);
        context.Response.ContentType = ContentType;
        var status = method is null ? (GrpcStatusCode.Unimplemented, $"no service here has the method {path}") : await RunAsync(context, method, path[1..]);
        End(context, status);
        _options.Ended(new GrpcCallReport(method is null ? "unknown" : path[1..], status.Item1, _options.Time.GetElapsedTime(begun)));
    }

    private static bool IsCall(HttpContext context)
    {
        if (!HttpMethods.IsPost(context.Request.Method))
        {
            context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            return false;
        }

        var type = context.Request.ContentType ?? "";
        if (type.StartsWith(ContentType, StringComparison.OrdinalIgnoreCase) && (type.Length == ContentType.Length || type[ContentType.Length] is '+' or ';')) return true;
        context.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
        return false;
    }

    private async Task<(GrpcStatusCode Code, string Message)> RunAsync(HttpContext context, GrpcMethod method, string name)
    {
        var headers = context.Request.Headers;
        if (headers.TryGetValue("grpc-encoding", out var encoding) && encoding != "identity")
        {
            context.Response.Headers["grpc-accept-encoding"] = "identity";
            return (GrpcStatusCode.Unimplemented, $"messages encoded as {encoding} are not read here");
        }

        if (!CallTimeout.TryParse(headers.TryGetValue("grpc-timeout", out var text) ? text.ToString() : null, out var timeout))
            return (GrpcStatusCode.Internal, $"\"{text}\" is no grpc-timeout");

        using var deadline = new CancellationTokenSource(timeout ?? Timeout.InfiniteTimeSpan, _options.Time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, deadline.Token);
        try
        {
            var requests = new FrameReader(context.Request.Body, _options.MaximumMessage);
            var answers = new FrameWriter(context.Response.BodyWriter, _options.MaximumMessage);
            await method.ServeAsync(requests, answers, new GrpcCall(name, headers, stop.Token));
            return (GrpcStatusCode.Ok, "");
        }
        catch (GrpcException e)
        {
            return (e.Code, e.Message);
        }
        catch (Exception e) when (stop.IsCancellationRequested)
        {
            return deadline.IsCancellationRequested && !context.RequestAborted.IsCancellationRequested
                ? (GrpcStatusCode.DeadlineExceeded, "the deadline is over") : (GrpcStatusCode.Cancelled, $"the caller has gone: {e.Message}");
        }
        catch (BadHttpRequestException e)
        {
            return (GrpcStatusCode.Internal, e.Message);
        }
        catch (Exception e)
        {
            if (_options.Translate(e) is { } known) return (known.Code, known.Message);
            _options.Report($"{name}: {e}");
            return (GrpcStatusCode.Internal, $"{e.GetType().Name}: {e.Message}");
        }
    }

    private static void End(HttpContext context, (GrpcStatusCode Code, string Message) status)
    {
        if (context.RequestAborted.IsCancellationRequested) return;   // Nobody is left who could read it.
        var code = ((int)status.Code).ToString(System.Globalization.CultureInfo.InvariantCulture);
        if (status.Code == GrpcStatusCode.Ok || context.Response.HasStarted)
        {
            context.Response.AppendTrailer("grpc-status", code);
            if (status.Message.Length > 0) context.Response.AppendTrailer("grpc-message", StatusMessage.Encode(status.Message));
        }
        else
        {
            context.Response.Headers["grpc-status"] = code;
            if (status.Message.Length > 0) context.Response.Headers["grpc-message"] = StatusMessage.Encode(status.Message);
        }
    }
}
