using Microsoft.Win32.SafeHandles;
using StorageActors.Images.Reading;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Images.Writing;

/// <summary>
/// Writes an image into an image-layout directory, a new one or one that holds other images. Blobs are named by their digests and appear complete; what
/// makes the image one of the layout is the last step, which replaces <c>index.json</c> in one rename, once the disk has all that it names. One writer at a time
/// reads and replaces it: he has the directory's lock.
/// </summary>
/// <param name="steps">The image, and how its layers come.</param>
/// <param name="path">The directory.</param>
/// <param name="isScratch">Whether it is only on its way into an archive: the disk need not have it, and nobody else writes to it.</param>
internal sealed class LayoutDirectory(ExportSteps steps, string path, bool isScratch = false)
{
    private static readonly TimeSpan LockInterval = TimeSpan.FromMilliseconds(20);

    private readonly List<string> _written = [];

    /// <summary>Writes the image and returns the digest of the manifest as written: the image's own, or another where a blob was not kept.</summary>
    internal async Task<Digest> WriteAsync(string tag)
    {
        var (image, stop) = (steps.Image, steps.Stop);
        Directory.CreateDirectory(Path.Combine(path, "blobs", "sha256"));
        using var presence = Libc.OpenDirectory(Path.Combine(path, "blobs"));
        TryLock(presence, exclusive: false); // Until it is done: see Discard.
        await WriteFileAsync("oci-layout", ManifestWriter.LayoutFile, stop).ConfigureAwait(false);
        var replaced = new Dictionary<int, (string MediaType, Digest Digest, long Size)>();
        for (var i = 0; i < image.Layers.Count; i++)
        {
            if (await WriteLayerAsync(image, image.Layers[i]).ConfigureAwait(false) is { } other) replaced[i] = other;
        }

        var manifest = replaced.Count == 0 ? image.Manifest : ManifestWriter.Replace(image.Manifest, replaced);
        await WriteFileAsync(ImageDocuments.BlobName(image.ConfigDigest), image.Config, stop).ConfigureAwait(false);
        await WriteFileAsync(ImageDocuments.BlobName(Digest.Of(manifest)), manifest, stop).ConfigureAwait(false);
        if (!isScratch) SyncWritten();
        using var directory = Libc.OpenDirectory(path);
        while (!TryLock(directory, exclusive: true)) await Task.Delay(LockInterval, stop).ConfigureAwait(false);
        var index = Path.Combine(path, "index.json");
        var before = File.Exists(index) ? await File.ReadAllBytesAsync(index, stop).ConfigureAwait(false) : null;
        await WriteFileAsync("index.json", ManifestWriter.AddToIndex(before, manifest, tag), stop).ConfigureAwait(false);
        try
        {
            if (!isScratch) HostFiles.Sync(path);
        }
        catch when (before is null)
        {
            File.Delete(index); // Nobody else's image is in it: as if the export had failed before.
            throw;
        }

        return Digest.Of(manifest);
    }

    /// <summary>Deletes a layout that an export has begun and not ended; not if it has an image by now, or another export is writing into it.</summary>
    internal static void Discard(string path)
    {
        var errno = Libc.TryOpen(Path.Combine(path, "blobs"), OpenFlags.Directory, 0, out var presence);
        using (presence)
        {
            if ((errno == Errno.None && !TryLock(presence, exclusive: true)) || File.Exists(Path.Combine(path, "index.json"))) return;
            HostFiles.DeleteDirectory(path);
        }
    }

    private static bool TryLock(SafeFileHandle directory, bool exclusive)
    {
        try
        {
            return Libc.TryFlock(directory, exclusive);
        }
        catch (LinuxException e) when (e.Errno is Errno.EBADF or Errno.EINVAL or Errno.ENOLCK or Errno.EOPNOTSUPP)
        {
            return true; // A file system of the network that locks no directories: then nobody can be kept out.
        }
    }

    private void SyncWritten()
    {
        foreach (var name in _written) HostFiles.Sync(name);
        HostFiles.Sync(Path.Combine(path, "blobs", "sha256"));
        HostFiles.Sync(Path.Combine(path, "blobs"));
        HostFiles.Sync(Path.GetDirectoryName(path) ?? "/");
    }

    private async Task<(string MediaType, Digest Digest, long Size)?> WriteLayerAsync(StoredImage image, StoredLayer layer)
    {
        var (digest, size) = (layer.Blob.Digest, layer.Blob.Size);
        var target = BlobPath(digest);
        if (new FileInfo(target) is { Exists: true } there && there.Length == size)
        {
            _written.Add(target); // By another export, which may not have synced it yet.
            return null;
        }

        if (digest == layer.Record.DiffId)
        {
            await steps.WriteTarAsync(layer, target, LayerCompression.None).ConfigureAwait(false);
            _written.Add(target);
            return null;
        }

        if (image.Record.Blobs?.Contains(digest) == true)
        {
            await steps.WriteBlobAsync(layer, target).ConfigureAwait(false);
            _written.Add(target);
            return null;
        }

        return await CompressAnewAsync(layer).ConfigureAwait(false);
    }

    /// <summary>The blob was not kept. Compressing again may give the same bytes by luck; else the layer is named by what it gives.</summary>
    private async Task<(string MediaType, Digest Digest, long Size)?> CompressAnewAsync(StoredLayer layer)
    {
        var compression = layer.Blob.MediaType.EndsWith("zstd", StringComparison.Ordinal) ? LayerCompression.Zstd : LayerCompression.Gzip;
        var temporary = Path.Combine(path, "blobs", "sha256", ".new-" + TicketId.New().Value);
        var written = await steps.WriteTarAsync(layer, temporary, compression).ConfigureAwait(false);
        File.Move(temporary, BlobPath(written.BlobDigest), overwrite: true);
        _written.Add(BlobPath(written.BlobDigest));
        return written.BlobDigest == layer.Blob.Digest ? null : (MediaTypes.Layer(compression), written.BlobDigest, written.BlobSize);
    }

    private string BlobPath(Digest digest) => Path.Combine(path, ImageDocuments.BlobName(digest));

    private async Task WriteFileAsync(string name, byte[] content, CancellationToken stop)
    {
        var target = Path.Combine(path, name);
        var temporary = target + ".new-" + TicketId.New().Value;
        var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
        await using (file.ConfigureAwait(false))
        {
            await file.WriteAsync(content, stop).ConfigureAwait(false);
            await file.FlushAsync(stop).ConfigureAwait(false);
            if (!isScratch) RandomAccess.FlushToDisk(file.SafeFileHandle);
        }

        File.Move(temporary, target, overwrite: true);
    }
}
