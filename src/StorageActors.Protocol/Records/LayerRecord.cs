namespace StorageActors.Protocol;

/// <summary>Whether a layer takes writes.</summary>
public enum LayerKind
{
    /// <summary>Sealed: its content and digests never change again.</summary>
    Sealed,

    /// <summary>Writable: mounted read-write until it is sealed.</summary>
    Writable,
}

/// <summary>What the store knows of one layer. Sizes are bytes.</summary>
/// <param name="Id">Its id, unique in the store.</param>
/// <param name="Parent">The layer below; none for a base layer.</param>
/// <param name="Kind">Sealed or writable.</param>
/// <param name="Names">Its names, each unique among the names of layers; sorted.</param>
/// <param name="Labels">Free key-value pairs of the owner.</param>
/// <param name="Created">When it was committed to the store.</param>
/// <param name="DiffId">Digest of its uncompressed tar; none while writable, nor of a layer that was frozen without being read.</param>
/// <param name="ChainId">Identity of the whole stack up to it; none while it, or a layer below, has no DiffID.</param>
/// <param name="BlobDigest">Digest of the blob that it was applied from, as it was compressed.</param>
/// <param name="BlobSize">Length of that blob.</param>
/// <param name="Compression">Compression of that blob.</param>
/// <param name="Size">Length of its uncompressed tar; none without a DiffID.</param>
/// <param name="Entries">Entries in its tar.</param>
/// <param name="Uids">The distinct owners of its entries, sorted.</param>
/// <param name="Gids">The distinct groups of its entries, sorted.</param>
/// <param name="Warnings">What could not be kept when it was applied (an xattr that the file system refuses, …).</param>
/// <param name="Damage">Why the layer cannot be used, if it cannot.</param>
/// <param name="AdditionalStore">Root of the additional store that it lies in, where it is only read; none for a layer of the store's own.</param>
/// <param name="BigData">Its documents, sorted by key; none for a layer without.</param>
/// <param name="Uidmap">
/// The users of the container that writes to the layer, or wrote to it before it was sealed: in its directory they are those of the host. Its tar, and whoever sees it
/// through a mount, has those of the container. None: as on the host; so it is with every layer that was made of a tar, whoever mounts it. See <see cref="IdMap"/>.
/// </param>
/// <param name="Gidmap">The same for groups.</param>
public sealed record LayerRecord(
    LayerId Id,
    LayerId? Parent,
    LayerKind Kind,
    IReadOnlyList<string> Names,
    IReadOnlyDictionary<string, string> Labels,
    DateTimeOffset Created,
    Digest? DiffId = null,
    Digest? ChainId = null,
    Digest? BlobDigest = null,
    long? BlobSize = null,
    LayerCompression? Compression = null,
    long? Size = null,
    long? Entries = null,
    IReadOnlyList<long>? Uids = null,
    IReadOnlyList<long>? Gids = null,
    IReadOnlyList<string>? Warnings = null,
    string? Damage = null,
    string? AdditionalStore = null,
    IReadOnlyList<BigDataItem>? BigData = null,
    IReadOnlyList<IdRange>? Uidmap = null,
    IReadOnlyList<IdRange>? Gidmap = null);
