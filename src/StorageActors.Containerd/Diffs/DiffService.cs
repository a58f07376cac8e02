using StorageActors.Client;
using StorageActors.Containerd.Wire;
using StorageActors.Grpc.Calls;
using StorageActors.Grpc.Serving;
using StorageActors.Protocol;

namespace StorageActors.Containerd.Diffs;

/// <summary>
/// <c>containerd.services.diff.v1.Diff</c>. Apply runs the store's own extraction on a blob of containerd's content store, into a snapshot that was prepared here.
/// Whatever it is not made for is answered UNIMPLEMENTED, before anything is done: containerd then asks the next differ of its list.
/// </summary>
/// <param name="endpoint">The endpoint whose snapshots it fills.</param>
/// <param name="contentRoot">containerd's content store; null when it is not known here.</param>
/// <param name="store">The store.</param>
internal sealed class DiffService(string endpoint, string? contentRoot, StorageClient store)
{
    private const string LayerTar = "application/vnd.oci.image.layer.v1.tar";

    private static readonly HashSet<string> Known = new(StringComparer.Ordinal)
    {
        LayerTar, LayerTar + "+gzip", LayerTar + "+zstd",
        "application/vnd.docker.image.rootfs.diff.tar", "application/vnd.docker.image.rootfs.diff.tar.gzip", "application/vnd.docker.image.rootfs.diff.tar.zstd",
    };

    /// <summary>The service as it is served.</summary>
    internal GrpcService ToService() => new GrpcService("containerd.services.diff.v1.Diff")
        .Unary("Apply", ApplyRequest.Parser, ApplyAsync)
        .Unary("Diff", DiffRequest.Parser, static Task<DiffResponse> (_, _) => throw NotHere("a diff is written by containerd's own differ"));

    private async Task<ApplyResponse> ApplyAsync(ApplyRequest request, GrpcCall call)
    {
        var blob = request.Diff ?? throw new GrpcException(GrpcStatusCode.InvalidArgument, "the request names no blob");
        if (!Known.Contains(blob.MediaType)) throw NotHere($"{blob.MediaType} is no layer that is read here");
        if (request.Payloads.Count > 0) throw NotHere("payloads of stream processors are not read here");
        var digest = ParseDigest(blob.Digest);
        var path = BlobPath(digest);
        var layer = await PreparedLayer.FindAsync(endpoint, store, request.Mounts, call.Stop) ?? throw NotHere("the mounts are not those of an active snapshot of this store");
        var filled = await FillAsync(layer, path, new StoreProtocol.Expectations(BlobDigest: digest, BlobSize: blob.Size > 0 ? blob.Size : null), call.Stop);
        return new() { Applied = new BlobDescriptor { MediaType = LayerTar, Digest = filled.DiffId.Value, Size = filled.Size } };
    }

    /// <summary>Fills the layer; when the caller gives up, waits until nothing works on it any more.</summary>
    private async Task<StoreProtocol.LayerFilled> FillAsync(LayerId layer, string path, StoreProtocol.Expectations expect, CancellationToken stop)
    {
        var ticket = TicketId.New();
        var filling = store.Channel.AskAsync<StoreProtocol.LayerFilled>(
            new StoreProtocol.Fill(layer, BlobSource.File(path), expect, ticket, store.Channel.Holder), CancellationToken.None);
        await using var cancellation = stop.Register(() => _ = CancelAsync(ticket)); // Not before the store knows the ticket.
        return await filling;
    }

    private async Task CancelAsync(TicketId ticket)
    {
        Task cancelling = store.Channel.AskAsync<StoreProtocol.CancelAccepted>(new StoreProtocol.Cancel(ticket));
        await cancelling.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // Not found means that it has ended by itself.
    }

    private string BlobPath(Digest digest)
    {
        if (contentRoot is null) throw NotHere("the node's configuration does not say where containerd's content store is");
        var path = Path.Combine(contentRoot, "blobs", "sha256", digest.Hex);
        return File.Exists(path) ? path : throw NotHere($"{path} is not there; is the content store that of this containerd?");
    }

    private static Digest ParseDigest(string text)
    {
        try
        {
            return Digest.Parse(text);
        }
        catch (FormatException e)
        {
            throw new GrpcException(GrpcStatusCode.InvalidArgument, e.Message, e);
        }
    }

    private static GrpcException NotHere(string why) => new(GrpcStatusCode.Unimplemented, why);
}
