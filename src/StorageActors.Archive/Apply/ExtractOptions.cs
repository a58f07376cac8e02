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

    /// <summary>Most entries.</summary>
    internal long MaximumEntries { get; init; } = 10_000_000;
}
