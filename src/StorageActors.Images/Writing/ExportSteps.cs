using StorageActors.Client;
using StorageActors.Protocol;

namespace StorageActors.Images.Writing;

/// <summary>What an export asks of the store, layer by layer, and tells somebody about.</summary>
internal sealed class ExportSteps(StorageClient store, StoredImage image, IProgress<ImportProgress>? progress, CancellationToken stop)
{
    internal StoredImage Image => image;

    internal CancellationToken Stop => stop;

    internal Task<StoreProtocol.DiffWritten> WriteTarAsync(StoredLayer layer, string target, LayerCompression compression) =>
        store.WriteDiffAsync(new StoreProtocol.WriteDiff(layer.Record.Id, null, new BlobTarget(target), compression), Relay(layer), stop);

    internal Task<CatalogProtocol.BlobRead> WriteBlobAsync(StoredLayer layer, string target) =>
        store.ReadBlobAsync(new CatalogProtocol.ReadBlob(image.Record.Id, layer.Blob.Digest, new BlobTarget(target)), Relay(layer), stop);

    private Told? Relay(StoredLayer layer) => progress is null ? null
        : new Told(progress, image.Layers.TakeWhile(one => one != layer).Count(), image.Layers.Count, layer.Record.DiffId!.Value);

    private sealed class Told(IProgress<ImportProgress> progress, int layer, int layers, Digest diffId) : IProgress<StagingProgress>
    {
        public void Report(StagingProgress value) => progress.Report(new ImportProgress(layer, layers, diffId, value));
    }
}
