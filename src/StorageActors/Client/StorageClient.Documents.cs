using StorageActors.Protocol;

namespace StorageActors.Client;

/// <summary>Documents that are kept with layers and images.</summary>
public sealed partial class StorageClient
{
    /// <summary>Reads a document of an image.</summary>
    /// <param name="image">The image.</param>
    /// <param name="key">Its key.</param>
    /// <param name="stop">Gives up waiting.</param>
    public Task<byte[]> GetBigDataAsync(ImageId image, string key, CancellationToken stop = default) => ReadAsync(new CatalogProtocol.GetBigData(image, key), stop);

    /// <summary>Reads a document of a layer.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="key">Its key.</param>
    /// <param name="stop">Gives up waiting.</param>
    public Task<byte[]> GetBigDataAsync(LayerId layer, string key, CancellationToken stop = default) => ReadAsync(new CatalogProtocol.GetBigData(null, key, layer), stop);

    /// <summary>Puts a document of an image, a new one or in place of the one with its key.</summary>
    /// <param name="image">The image.</param>
    /// <param name="document">The document.</param>
    /// <param name="stop">Gives up waiting.</param>
    public async Task<ImageRecord> PutBigDataAsync(ImageId image, BigData document, CancellationToken stop = default) =>
        (await Channel.AskAsync<CatalogProtocol.Resolved>(new CatalogProtocol.PutBigData(null, image, document), stop).ConfigureAwait(false)).Image!;

    /// <summary>Puts a document of a layer, a new one or in place of the one with its key.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="document">The document.</param>
    /// <param name="stop">Gives up waiting.</param>
    public async Task<LayerRecord> PutBigDataAsync(LayerId layer, BigData document, CancellationToken stop = default) =>
        (await Channel.AskAsync<CatalogProtocol.Resolved>(new CatalogProtocol.PutBigData(layer, null, document), stop).ConfigureAwait(false)).Layer!;

    /// <summary>Removes a document of an image.</summary>
    /// <param name="image">The image.</param>
    /// <param name="key">Its key.</param>
    /// <param name="stop">Gives up waiting.</param>
    public async Task<ImageRecord> RemoveBigDataAsync(ImageId image, string key, CancellationToken stop = default) =>
        (await Channel.AskAsync<CatalogProtocol.Resolved>(new CatalogProtocol.RemoveBigData(null, image, key), stop).ConfigureAwait(false)).Image!;

    /// <summary>Removes a document of a layer.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="key">Its key.</param>
    /// <param name="stop">Gives up waiting.</param>
    public async Task<LayerRecord> RemoveBigDataAsync(LayerId layer, string key, CancellationToken stop = default) =>
        (await Channel.AskAsync<CatalogProtocol.Resolved>(new CatalogProtocol.RemoveBigData(layer, null, key), stop).ConfigureAwait(false)).Layer!;

    private async Task<byte[]> ReadAsync(CatalogProtocol.GetBigData command, CancellationToken stop) =>
        (await Channel.AskAsync<CatalogProtocol.BigDataContent>(command, stop).ConfigureAwait(false)).Content;
}
