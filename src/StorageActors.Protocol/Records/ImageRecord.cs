namespace StorageActors.Protocol;

/// <summary>What the store knows of one image. Its documents (manifest, configuration) are its big data.</summary>
/// <param name="Id">The digest of its configuration.</param>
/// <param name="Names">Its names, each unique among the names of images; sorted.</param>
/// <param name="Layers">Its layers, base first; the last is the top. Each keeps its layer from being removed.</param>
/// <param name="Labels">Free key-value pairs of the owner.</param>
/// <param name="Created">When the image was made, as its configuration or whoever put it says; of one that nobody knows it of, when it was put into the store.</param>
/// <param name="ManifestDigest">Digest of its manifest, if it came with one.</param>
/// <param name="BigData">Its documents, sorted by key.</param>
/// <param name="Blobs">The layers' blobs that are kept as they came, so that it is exported with the same digests; each once.</param>
/// <param name="AdditionalStore">Root of the additional store that it lies in, where it is only read; none for an image of the store's own.</param>
/// <param name="NamesHistory">All names that it ever had, the one that was given last first, each once; those that it has now are among them. None for one without, and
/// for one that has not been named since stores keep this.</param>
/// <param name="Added">When it was first put into the store; none for one from before stores kept this apart from <paramref name="Created"/>, which says it then.</param>
public sealed record ImageRecord(
    ImageId Id,
    IReadOnlyList<string> Names,
    IReadOnlyList<LayerId> Layers,
    IReadOnlyDictionary<string, string> Labels,
    DateTimeOffset Created,
    Digest? ManifestDigest,
    IReadOnlyList<BigDataItem> BigData,
    IReadOnlyList<Digest>? Blobs = null,
    string? AdditionalStore = null,
    IReadOnlyList<string>? NamesHistory = null,
    DateTimeOffset? Added = null);

/// <summary>One document kept with an image or a layer.</summary>
/// <param name="Key">Its key, unique with its owner: 1 to 200 printable characters.</param>
/// <param name="Size">Its length in bytes.</param>
/// <param name="Digest">Its digest.</param>
public sealed record BigDataItem(string Key, long Size, Digest Digest);

/// <summary>The content of a document on its way into the store.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Content">Its bytes; at most <see cref="LargestLength"/>.</param>
public sealed record BigData(string Key, byte[] Content)
{
    /// <summary>One document has so many bytes at most: 16 MiB.</summary>
    public const int LargestLength = 16 << 20;

    /// <summary>All that layers of one command have from the start have so many bytes at most together, 32 MiB: a command is one message, which a node takes up to a size.</summary>
    public const int LargestTotal = 32 << 20;
}

/// <summary>A blob on its way into the store, to be kept as it is.</summary>
/// <param name="Digest">Its digest; checked while it is copied.</param>
/// <param name="Size">Its length in bytes; checked.</param>
/// <param name="Source">Where it comes from: a file or a part of one.</param>
public sealed record ImageBlob(Digest Digest, long Size, BlobSource Source);
