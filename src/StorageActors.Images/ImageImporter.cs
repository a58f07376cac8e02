using StorageActors.Client;
using StorageActors.Images.Reading;
using StorageActors.Images.Writing;
using StorageActors.Protocol;

namespace StorageActors.Images;

/// <summary>
/// Brings images into a store: finds the image, has all its layers staged at the same time, then puts its record. Everything it reads is checked
/// against the digests that name it. An import that fails leaves whole layers without names at most, which an import run again takes up and
/// a garbage collection removes.
/// </summary>
public static class ImageImporter
{
    private const int Attempts = 3;

    /// <summary>Imports one image.</summary>
    /// <param name="store">The store; it must be able to read the same paths as this process.</param>
    /// <param name="location">Where the image lies.</param>
    /// <param name="options">How.</param>
    /// <param name="progress">Is told how each layer goes.</param>
    /// <param name="stop">Cancels; no layer is left half made.</param>
    /// <exception cref="StorageException">The image is malformed, ambiguous or not there; or the store refused.</exception>
    public static Task<ImportResult> ImportAsync(
        StorageClient store,
        ImageLocation location,
        ImportOptions options,
        IProgress<ImportProgress>? progress = null,
        CancellationToken stop = default) =>
        HostFiles.GuardAsync("import", location.Path, () => ReadAsync(store, location, options, progress, stop));

    private static async Task<ImportResult> ReadAsync(
        StorageClient store, ImageLocation location, ImportOptions options, IProgress<ImportProgress>? progress, CancellationToken stop)
    {
        var started = TimeProvider.System.GetTimestamp();
        using var files = location.Format == ImageFormat.OciLayout ? (IImageFiles)DirectoryFiles.Open(location.Path)
            : await ArchiveFiles.OpenAsync(location.Path, () => ExpansionLimits.OfAsync(store, stop), stop).ConfigureAwait(false);
        var found = location.Format == ImageFormat.DockerArchive
            ? DockerArchiveReader.Find(files, location.Tag, options.Platform)
            : LayoutReader.Find(files, location.Tag, options.Platform);
        for (var attempt = 1; ; attempt++)
        {
            var layers = await ApplyAsync(store, found, options, progress, stop).ConfigureAwait(false);
            try
            {
                var image = await store.PutImageAsync(Record(found, layers, options), stop).ConfigureAwait(false);
                return new ImportResult(
                    image, layers, found.Layers.Sum(static layer => layer.Source.Length ?? 0), TimeProvider.System.GetElapsedTime(started).TotalSeconds);
            }
            catch (StorageException e) when (e.Error.Code == StorageErrorCode.NotFound && attempt < Attempts)
            {
                // Between the two commands a garbage collection took a layer that no image needed yet.
            }
        }
    }

    private static async Task<IReadOnlyList<StoreProtocol.AppliedLayer>> ApplyAsync(
        StorageClient store, FoundImage found, ImportOptions options, IProgress<ImportProgress>? progress, CancellationToken stop)
    {
        if (found.Layers.Count == 0) return [];
        var items = found.Layers.Select(layer => new StoreProtocol.ChainItem(
            layer.Source,
            new StoreProtocol.LayerSpec(),
            new StoreProtocol.Expectations(layer.DiffId, layer.BlobDigest, layer.Source.Length, options.MaximumSize),
            TicketId.New())).ToArray();
        var relay = progress is null ? null : new Relay(found, items, progress);
        return await store.ApplyAsync(new StoreProtocol.Apply(null, items, Reuse: true), relay, stop).ConfigureAwait(false);
    }

    private static CatalogProtocol.PutImage Record(FoundImage found, IReadOnlyList<StoreProtocol.AppliedLayer> layers, ImportOptions options)
    {
        var manifest = found.Manifest ?? ManifestWriter.Write(found.Config, layers.Select(static layer => layer.Layer).ToArray());
        var documents = new[]
        {
            new BigData(ImageDocumentKeys.Manifest, manifest),
            new BigData(ImageDocumentKeys.Config(found.ConfigDigest), found.Config),
        };
        return new CatalogProtocol.PutImage(
            ImageId.Of(found.ConfigDigest),
            (options.Names.Count > 0 ? options.Names : found.Names).ToArray(),
            layers.Select(static layer => layer.Layer.Id).ToArray(),
            Digest.Of(manifest),
            documents,
            options.Labels,
            options.KeepBlobs ? Blobs(found) : null,
            options.Created ?? found.Created);
    }

    /// <summary>Compressed blobs alone: an uncompressed one is the layer's tar, which the store gives back exactly.</summary>
    private static ImageBlob[] Blobs(FoundImage found) => found.Layers
        .Where(static layer => layer.BlobDigest is { } digest && digest != layer.DiffId)
        .DistinctBy(static layer => layer.BlobDigest)
        .Select(static layer => new ImageBlob(layer.BlobDigest!.Value, layer.Source.Length!.Value, layer.Source))
        .ToArray();

    private sealed class Relay : IProgress<StagingProgress>
    {
        private readonly FoundImage _found;
        private readonly IProgress<ImportProgress> _progress;
        private readonly Dictionary<TicketId, int> _layers;

        internal Relay(FoundImage found, StoreProtocol.ChainItem[] items, IProgress<ImportProgress> progress)
        {
            (_found, _progress) = (found, progress);
            _layers = items.Index().ToDictionary(static item => item.Item.Ticket!.Value, static item => item.Index);
        }

        public void Report(StagingProgress value)
        {
            var layer = _layers[value.Ticket];
            _progress.Report(new ImportProgress(layer, _layers.Count, _found.Layers[layer].DiffId, value));
        }
    }
}
