using StorageActors.Protocol;

namespace StorageActors.Archive.Apply;

/// <summary>What an extraction found and made. Sizes are bytes; digests were computed while reading, to the very end of the stream.</summary>
internal sealed record ExtractResult(
    Digest DiffId,
    Digest BlobDigest,
    long BlobSize,
    long Size,
    LayerCompression Compression,
    long Entries,
    IReadOnlyList<long> Uids,
    IReadOnlyList<long> Gids,
    IReadOnlyList<string> Warnings);
