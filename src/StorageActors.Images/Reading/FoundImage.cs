using StorageActors.Protocol;

namespace StorageActors.Images.Reading;

/// <summary>An image that was found outside the store, its documents read and checked, its layers not read yet.</summary>
/// <param name="Config">The configuration's bytes; their digest is the image's id.</param>
/// <param name="Manifest">The manifest's bytes; null for a docker archive, which has none.</param>
/// <param name="Layers">Base first.</param>
/// <param name="Names">The names that it has where it lies.</param>
/// <param name="Created">When it was made, by its configuration; null when that does not say.</param>
internal sealed record FoundImage(byte[] Config, byte[]? Manifest, IReadOnlyList<FoundLayer> Layers, IReadOnlyList<string> Names, DateTimeOffset? Created)
{
    internal Digest ConfigDigest { get; } = Digest.Of(Config);
}

/// <summary>A layer of it.</summary>
/// <param name="Source">Its blob.</param>
/// <param name="DiffId">The digest of its uncompressed tar, by the configuration.</param>
/// <param name="BlobDigest">The digest of its blob, by the manifest.</param>
internal sealed record FoundLayer(BlobSource Source, Digest DiffId, Digest? BlobDigest);
