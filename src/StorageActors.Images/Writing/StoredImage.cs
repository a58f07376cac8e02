using System.Text.Json;
using StorageActors.Client;
using StorageActors.Images.Reading;
using StorageActors.Protocol;

namespace StorageActors.Images.Writing;

/// <summary>An image of the store with its documents and what its manifest says of its layers.</summary>
internal sealed record StoredImage(ImageRecord Record, byte[] Manifest, byte[] Config, IReadOnlyList<StoredLayer> Layers)
{
    internal Digest ConfigDigest { get; } = Digest.Of(Config);

    internal static async Task<StoredImage> LoadAsync(StorageClient store, ImageRecord image, CancellationToken stop)
    {
        var manifest = await store.GetBigDataAsync(image.Id, ImageDocumentKeys.Manifest, stop).ConfigureAwait(false);
        var config = await store.GetBigDataAsync(image.Id, ImageDocumentKeys.Config(image.Id), stop).ConfigureAwait(false);
        var records = (await store.ListLayersAsync(stop).ConfigureAwait(false)).ToDictionary(static layer => layer.Id);
        using var document = JsonDocument.Parse(manifest);
        var descriptors = document.RootElement.GetProperty("layers").EnumerateArray().Select(Descriptor.Read).ToArray();
        if (descriptors.Length != image.Layers.Count)
        {
            throw new StorageException(new StorageError(
                StorageErrorCode.Damaged, "export", $"image {image.Id}: its manifest names {descriptors.Length} layers, its record {image.Layers.Count}"));
        }

        if (image.Layers.FirstOrDefault(layer => !records.ContainsKey(layer)) is { Value: not null } gone)
        {
            throw new StorageException(new StorageError(
                StorageErrorCode.NotFound, "export", $"image {image.Id}: its layer {gone} is not there any more; the image was removed or put again meanwhile"));
        }

        var layers = descriptors.Select((descriptor, i) => new StoredLayer(records[image.Layers[i]], descriptor)).ToArray();
        return new StoredImage(image, manifest, config, layers);
    }
}

/// <summary>A layer and the manifest's description of its blob.</summary>
internal sealed record StoredLayer(LayerRecord Record, Descriptor Blob);
