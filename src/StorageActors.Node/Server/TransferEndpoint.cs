using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using StorageActors.Client;
using StorageActors.Node.Wire;
using StorageActors.Protocol;

namespace StorageActors.Node.Server;

/// <summary>
/// Streams: <c>POST /v1/uploads</c> names one, <c>PUT /v1/uploads/{id}</c> brings its bytes; <c>POST /v1/downloads</c> names one,
/// <c>GET /v1/downloads/{id}</c> fetches its bytes. The command that uses the stream names it in between or at the same time.
/// </summary>
internal sealed class TransferEndpoint(Func<IStorageChannel> openChannel, TimeProvider time)
{
    private const string Uploads = CommandTable.Prefix + "uploads";
    private const string Downloads = CommandTable.Prefix + "downloads";
    private const int BlockSize = 256 * 1024;

    /// <summary>A stream whose second request never comes belongs to a client that has died.</summary>
    private static readonly TimeSpan LongestUnclaimed = TimeSpan.FromMinutes(2);

    private readonly ConcurrentDictionary<string, Unclaimed> _unclaimed = new(StringComparer.Ordinal);

    internal bool Serves(string path) => Under(path, Uploads) || Under(path, Downloads);

    internal Task ServeAsync(HttpContext context, string path)
    {
        var method = context.Request.Method;
        return path switch
        {
            Uploads when HttpMethods.IsPost(method) => OpenAsync(context, Uploads),
            Downloads when HttpMethods.IsPost(method) => OpenAsync(context, Downloads),
            _ when Under(path, Uploads) && HttpMethods.IsPut(method) => ReceiveAsync(context, Claim(path)),
            _ when Under(path, Downloads) && HttpMethods.IsGet(method) => SendAsync(context, Claim(path)),
            _ => throw new StorageException(NodeEndpoints.Invalid(context, $"a stream is opened with POST, fed with PUT and read with GET, not {method} {path}")),
        };
    }

    private static bool Under(string path, string address) =>
        path.StartsWith(address, StringComparison.Ordinal) && (path.Length == address.Length || path[address.Length] == '/');

    private async Task OpenAsync(HttpContext context, string address)
    {
        await using var channel = openChannel();
        var transfer = address == Uploads
            ? await channel.OpenUploadAsync(context.RequestAborted)
            : await channel.OpenDownloadAsync(context.RequestAborted);
        var path = $"{address}/{transfer.Id}";
        _unclaimed[path] = new Unclaimed(transfer.Stream, time.CreateTimer(_ => Expire(path), null, LongestUnclaimed, Timeout.InfiniteTimeSpan));
        await NodeEndpoints.Answer(context, new WireTransfer(transfer.Id), StatusCodes.Status201Created);
    }

    private Stream Claim(string path)
    {
        if (!_unclaimed.TryRemove(path, out var found))
        {
            throw new StorageException(new StorageError(StorageErrorCode.NotFound, path, "no such stream is open: it was used, has expired, or never was"));
        }

        found.Expiry.Dispose();
        return found.Stream;
    }

    private void Expire(string path)
    {
        if (!_unclaimed.TryRemove(path, out var found)) return;
        found.Expiry.Dispose();
        found.Stream.Dispose();
    }

    private static async Task ReceiveAsync(HttpContext context, Stream upload)
    {
        context.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = null;
        var block = new byte[BlockSize];
        int count;
        // A body that breaks off throws here, before the stream is disposed: what came would else pass for the whole blob.
        // The command is cancelled with its own connection, and that takes the stream away.
        while ((count = await context.Request.Body.ReadAsync(block, context.RequestAborted)) > 0)
        {
            try
            {
                await upload.WriteAsync(block.AsMemory(0, count), context.RequestAborted);
            }
            catch (IOException)
            {
                // The store stopped reading, and its reply to the command says why. Ending the connection ends the client's writing.
                context.Abort();
                return;
            }
        }

        await upload.DisposeAsync();
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private static async Task SendAsync(HttpContext context, Stream download)
    {
        await using var source = download;
        context.Response.ContentType = "application/octet-stream";
        await context.Response.Body.FlushAsync(context.RequestAborted);
        try
        {
            await source.CopyToAsync(context.Response.Body, BlockSize, context.RequestAborted);
        }
        catch (IOException)
        {
            context.Abort();
        }
    }

    private sealed record Unclaimed(Stream Stream, ITimer Expiry);
}
