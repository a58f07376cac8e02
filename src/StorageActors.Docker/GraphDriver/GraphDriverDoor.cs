using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using StorageActors.Client;
using StorageActors.Docker.Wire;
using StorageActors.Protocol;

namespace StorageActors.Docker.GraphDriver;

/// <summary>
/// A store as a graph-driver plugin of Docker Engine (1.13 to 27): JSON over HTTP/1.1, a path for each method. It keeps nothing in memory that a restart would
/// lose, because a daemon whose plugin was restarted does not introduce itself again; and a call that comes a second time, since the answer to the first was lost,
/// is answered like the first wherever that is safe.
/// </summary>
public sealed class GraphDriverDoor
{
    private const string ContentType = "application/vnd.docker.plugins.v1.2+json";
    private const string DriverPrefix = "/GraphDriver.";

    /// <summary>A request names a layer or two, and labels. Tars do not come as JSON.</summary>
    private const int LongestRequest = 1024 * 1024;

    private readonly Dictionary<string, Func<HttpContext, Task>> _methods;
    private readonly GraphDriverOptions _options;

    /// <summary>Makes the door; it is open while <see cref="ServeAsync"/> is called.</summary>
    /// <param name="endpoint">Its name, unique in the store and the same after a restart: by it the endpoint knows its layers and leases again.</param>
    /// <param name="store">The store.</param>
    /// <param name="options">How it is served.</param>
    public GraphDriverDoor(string endpoint, StorageClient store, GraphDriverOptions options)
    {
        _options = options;
        var layers = new GraphLayers(endpoint, store);
        var mounts = new GraphMounts(endpoint, layers, store);
        var content = new GraphContent(layers, store);
        var facts = new GraphFacts(layers, mounts, store);
        _methods = new(StringComparer.Ordinal)
        {
            ["/Plugin.Activate"] = static context => Answer(context, new ActivateReply(["GraphDriver"]), DockerJson.Default.ActivateReply),
            [DriverPrefix + "Init"] = Done<InitRequest>(DockerJson.Default.InitRequest, mounts.BeginAsync),
            [DriverPrefix + "Capabilities"] = context =>
                Answer(context, new CapabilitiesReply(new DriverCapabilities(options.ReproducesExactDiffs)), DockerJson.Default.CapabilitiesReply),
            [DriverPrefix + "Create"] = Done(layers.CreateAsync),
            [DriverPrefix + "CreateReadWrite"] = Done(layers.CreateAsync),
            [DriverPrefix + "Remove"] = Done(mounts.RemoveAsync),
            [DriverPrefix + "Exists"] = Reply(layers.ExistsAsync, DockerJson.Default.ExistsReply),
            [DriverPrefix + "Get"] = Reply(mounts.GetAsync, DockerJson.Default.GetReply),
            [DriverPrefix + "Put"] = Done(mounts.PutAsync),
            [DriverPrefix + "Cleanup"] = Done((_, _) => mounts.CleanupAsync()),
            [DriverPrefix + "Status"] = Reply((_, stop) => facts.StatusAsync(stop), DockerJson.Default.StatusReply),
            [DriverPrefix + "GetMetadata"] = Reply(facts.MetadataAsync, DockerJson.Default.MetadataReply),
            [DriverPrefix + "Changes"] = Reply(content.ChangesAsync, DockerJson.Default.ChangesReply),
            [DriverPrefix + "DiffSize"] = Reply(content.SizeAsync, DockerJson.Default.SizeReply),
            [DriverPrefix + "Diff"] = content.DiffAsync,
            [DriverPrefix + "ApplyDiff"] = async context => await Answer(context, await content.ApplyAsync(context.Request), DockerJson.Default.SizeReply),
        };
    }

    /// <summary>Serves one call. Never throws: what goes wrong is the answer, or a broken connection when an answer has begun.</summary>
    /// <param name="context">The call.</param>
    public async Task ServeAsync(HttpContext context)
    {
        var method = context.Request.Path.Value ?? "";
        if (!_methods.TryGetValue(method, out var serve))
        {
            await RefuseAsync(context, $"there is no method {method}", StatusCodes.Status404NotFound);
            return;
        }

        var began = _options.Time.GetTimestamp();
        var outcome = await OutcomeAsync(context, serve);
        _options.Ended(method[(method.IndexOf('.', StringComparison.Ordinal) + 1)..], outcome, _options.Time.GetElapsedTime(began));
    }

    private async Task<string> OutcomeAsync(HttpContext context, Func<HttpContext, Task> serve)
    {
        try
        {
            await serve(context);
            return "OK";
        }
        catch (StorageException e)
        {
            await RefuseAsync(context, e.Error.ToString());
            return e.Error.Code.ToString();
        }
        catch (Exception e) when (e is JsonException or FormatException or BadHttpRequestException)
        {
            await RefuseAsync(context, e.Message, e is BadHttpRequestException bad ? bad.StatusCode : StatusCodes.Status400BadRequest);
            return nameof(StorageErrorCode.InvalidArgument);
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            return nameof(StorageErrorCode.Cancelled); // Nobody is left who could read an answer.
        }
        catch (Exception e)
        {
            _options.Report($"{context.Request.Path}: {e}");
            await RefuseAsync(context, $"{e.GetType().Name}: {e.Message}");
            return nameof(StorageErrorCode.Internal);
        }
    }

    private static Func<HttpContext, Task> Done(Func<LayerRequest, CancellationToken, Task> serve) => Done(DockerJson.Default.LayerRequest, serve);

    private static Func<HttpContext, Task> Done<TRequest>(JsonTypeInfo<TRequest> type, Func<TRequest, CancellationToken, Task> serve) => async context =>
    {
        await serve(await ReadAsync(context, type), context.RequestAborted);
        await Answer(context, new ErrorReply(""), DockerJson.Default.ErrorReply);
    };

    private static Func<HttpContext, Task> Reply<TReply>(Func<LayerRequest, CancellationToken, Task<TReply>> serve, JsonTypeInfo<TReply> type) => async context =>
        await Answer(context, await serve(await ReadAsync(context, DockerJson.Default.LayerRequest), context.RequestAborted), type);

    internal static async Task<TRequest> ReadAsync<TRequest>(HttpContext context, JsonTypeInfo<TRequest> type)
    {
        using var body = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (await context.Request.Body.ReadAsync(buffer, context.RequestAborted) is > 0 and var count)
        {
            if (body.Length + count > LongestRequest)
                throw new BadHttpRequestException($"a request has at most {LongestRequest} bytes", StatusCodes.Status413PayloadTooLarge);
            body.Write(buffer, 0, count);
        }

        return JsonSerializer.Deserialize(body.GetBuffer().AsSpan(0, (int)body.Length), type) ?? throw new JsonException("null is no request");
    }

    private static Task Answer<TReply>(HttpContext context, TReply reply, JsonTypeInfo<TReply> type, int status = StatusCodes.Status200OK)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(reply, type);
        context.Response.StatusCode = status;
        context.Response.ContentType = ContentType;
        context.Response.ContentLength = body.Length;
        return context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }

    private static async Task RefuseAsync(HttpContext context, string why, int status = StatusCodes.Status500InternalServerError)
    {
        if (context.Response.HasStarted)
        {
            context.Abort(); // The head said success: only a broken connection tells that the tar is not whole.
            return;
        }

        try
        {
            context.Response.Clear();
            await Answer(context, new ErrorReply(why), DockerJson.Default.ErrorReply, status);
        }
        catch (OperationCanceledException)
        {
            // Nobody is left who could read it.
        }
    }
}
