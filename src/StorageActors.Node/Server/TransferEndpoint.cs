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
internal sealed class TransferEndpoint(Func<IStorageChannel> openChannel, Action<TransferId, string> abort, TimeProvider time)
{
    private const string Uploads = CommandTable.Prefix + "uploads";
    private const string Downloads = CommandTable.Prefix + "downloads";
    private const int BlockSize = 256 * 1024;
    private const string GoneAway = "its client went away";

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
        _unclaimed[path] = new Unclaimed(transfer, time.CreateTimer(_ => Expire(path), null, LongestUnclaimed, Timeout.InfiniteTimeSpan));
        await NodeEndpoints.Answer(context, new WireTransfer(transfer.Id), StatusCodes.Status201Created);
    }

    private OpenTransfer Claim(string path)
    {
        if (!_unclaimed.TryRemove(path, out var found))
        {
            throw new StorageException(new StorageError(StorageErrorCode.NotFound, path, "no such stream is open: it was used, has expired, or never was"));
        }

        found.Expiry.Dispose();
        return found.Transfer;
    }

    private void Expire(string path)
    {
        if (!_unclaimed.TryRemove(path, out var found)) return;
        found.Expiry.Dispose();
        abort(found.Transfer.Id, "its client did not come back");
    }

    private async Task ReceiveAsync(HttpContext context, OpenTransfer upload)
    {
        context.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = null;
        var block = new byte[BlockSize];
        int count;
        while ((count = await ReadAsync(context, block, upload.Id)) > 0)
        {
            try
            {
                await upload.Stream.WriteAsync(block.AsMemory(0, count), context.RequestAborted);
            }
            catch (IOException)
            {
                // The store stopped reading, and its reply to the command says why. Ending the connection ends the client's writing.
                context.Abort();
                return;
            }
            catch (OperationCanceledException)
            {
                // Nobody would wake the reader, which waits for what comes next.
                abort(upload.Id, GoneAway);
                throw;
            }
        }

        await upload.Stream.DisposeAsync();
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private async Task<int> ReadAsync(HttpContext context, byte[] block, TransferId upload)
    {
        try
        {
            return await context.Request.Body.ReadAsync(block, context.RequestAborted);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // Disposing the stream would make what came pass for the whole blob.
            abort(upload, GoneAway);
            throw;
        }
    }

    private static async Task SendAsync(HttpContext context, OpenTransfer download)
    {
        await using var source = download.Stream;
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

    private sealed record Unclaimed(OpenTransfer Transfer, ITimer Expiry);
}
