using StorageActors.Protocol;

namespace StorageActors.Archive.Apply;

/// <summary>What the caller of an extraction expects and tolerates. Every limit is a hard one; every expectation is checked, none trusted.</summary>
internal sealed record ExtractOptions
{
    internal Digest? ExpectedDiffId { get; init; }

    internal Digest? ExpectedBlobDigest { get; init; }

    /// <summary>Expected length of the blob in bytes; a longer or shorter one is refused.</summary>
    internal long? ExpectedBlobSize { get; init; }

    /// <summary>Most bytes of uncompressed tar.</summary>
    internal long MaximumSize { get; init; } = long.MaxValue;

    /// <summary>Most entries, and most paths: those of the entries, and the directories that they only imply.</summary>
    internal long MaximumEntries { get; init; } = 10_000_000;

    /// <summary>Most bytes of uncompressed tar for each byte of the blob, once the tar has <see cref="RatioFrom"/> bytes.</summary>
    internal long MaximumRatio { get; init; } = long.MaxValue;

    /// <summary>Smaller tars may be as dense as they like: they are bounded already.</summary>
    internal long RatioFrom { get; init; } = 1 << 30;

    /// <summary>Whether the bytes of tar that came out of so many of the blob are more than an honest layer has.</summary>
    internal bool IsBomb(long tar, long blob) => tar > RatioFrom && blob < tar / MaximumRatio;
}
