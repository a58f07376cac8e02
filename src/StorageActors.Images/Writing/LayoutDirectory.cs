using StorageActors.Client;
using StorageActors.Images.Reading;
using StorageActors.Protocol;

namespace StorageActors.Images.Writing;

/// <summary>
/// Writes an image into an image-layout directory, a new one or one that holds other images. Blobs are named by their digests and appear complete; what
/// makes the image one of the layout is the last step, which replaces <c>index.json</c> in one rename.
/// </summary>
internal sealed class LayoutDirectory(StorageClient store, string path, bool replaceTags = true)
{
    /// <summary>Writes the image and returns the digest of the manifest as written: the image's own, or another where a blob was not kept.</summary>
    internal async Task<Digest> WriteAsync(StoredImage image, string tag, CancellationToken stop)
    {
        Directory.CreateDirectory(Path.Combine(path, "blobs", "sha256"));
        var replaced = new Dictionary<int, (string MediaType, Digest Digest, long Size)>();
        for (var i = 0; i < image.Layers.Count; i++)
        {
            if (await WriteLayerAsync(image, image.Layers[i], stop).ConfigureAwait(false) is { } other) replaced[i] = other;
        }

        var manifest = replaced.Count == 0 ? image.Manifest : ManifestWriter.Replace(image.Manifest, replaced);
        await WriteFileAsync(ImageDocuments.BlobName(image.ConfigDigest), image.Config, stop).ConfigureAwait(false);
        await WriteFileAsync(ImageDocuments.BlobName(Digest.Of(manifest)), manifest, stop).ConfigureAwait(false);
        await WriteFileAsync("oci-layout", ManifestWriter.LayoutFile, stop).ConfigureAwait(false);
        var index = Path.Combine(path, "index.json");
        var before = replaceTags && File.Exists(index) ? await File.ReadAllBytesAsync(index, stop).ConfigureAwait(false) : null;
        await WriteFileAsync("index.json", ManifestWriter.AddToIndex(before, manifest, tag), stop).ConfigureAwait(false);
        return Digest.Of(manifest);
    }

    private async Task<(string MediaType, Digest Digest, long Size)?> WriteLayerAsync(StoredImage image, StoredLayer layer, CancellationToken stop)
    {
        var (digest, size) = (layer.Blob.Digest, layer.Blob.Size);
        var target = BlobPath(digest);
        if (new FileInfo(target) is { Exists: true } there && there.Length == size) return null;
        if (digest == layer.Record.DiffId)
        {
            await WriteDiffAsync(layer, target, LayerCompression.None, stop).ConfigureAwait(false);
            return null;
        }

        if (image.Record.Blobs?.Contains(digest) == true)
        {
            var read = new CatalogProtocol.ReadBlob(image.Record.Id, digest, new BlobTarget(target));
            await store.Channel.AskAsync<CatalogProtocol.BlobRead>(read, stop).ConfigureAwait(false);
            return null;
        }

        return await CompressAnewAsync(layer, stop).ConfigureAwait(false);
    }

    /// <summary>The blob was not kept. Compressing again may give the same bytes by luck; else the layer is named by what it gives.</summary>
    private async Task<(string MediaType, Digest Digest, long Size)?> CompressAnewAsync(StoredLayer layer, CancellationToken stop)
    {
        var compression = layer.Blob.MediaType.EndsWith("zstd", StringComparison.Ordinal) ? LayerCompression.Zstd : LayerCompression.Gzip;
        var temporary = Path.Combine(path, "blobs", "sha256", ".new-" + TicketId.New().Value);
        var written = await WriteDiffAsync(layer, temporary, compression, stop).ConfigureAwait(false);
        File.Move(temporary, BlobPath(written.BlobDigest), overwrite: true);
        return written.BlobDigest == layer.Blob.Digest ? null : (MediaTypes.Layer(compression), written.BlobDigest, written.BlobSize);
    }

    private Task<StoreProtocol.DiffWritten> WriteDiffAsync(StoredLayer layer, string target, LayerCompression compression, CancellationToken stop) =>
        store.Channel.AskAsync<StoreProtocol.DiffWritten>(
            new StoreProtocol.WriteDiff(layer.Record.Id, null, new BlobTarget(target), compression), stop);

    private string BlobPath(Digest digest) => Path.Combine(path, ImageDocuments.BlobName(digest));

    private async Task WriteFileAsync(string name, byte[] content, CancellationToken stop)
    {
        var target = Path.Combine(path, name);
        var temporary = target + ".new-" + TicketId.New().Value;
        await File.WriteAllBytesAsync(temporary, content, stop).ConfigureAwait(false);
        File.Move(temporary, target, overwrite: true);
    }
}
