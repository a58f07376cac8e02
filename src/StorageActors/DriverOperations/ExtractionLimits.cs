using StorageActors.Archive.Apply;
using StorageActors.Protocol;

namespace StorageActors.DriverOperations;

/// <summary>The store's limits for one layer's tar, against input that is hostile or broken. Each is a hard one.</summary>
/// <param name="Size">Bytes of the uncompressed tar.</param>
/// <param name="Entries">Entries, and paths.</param>
/// <param name="Ratio">Bytes of tar for each compressed byte.</param>
/// <param name="RatioFrom">Bytes of tar from which on the ratio counts.</param>
internal sealed record ExtractionLimits(long Size, long Entries, long Ratio, long RatioFrom)
{
    internal static ExtractionLimits None { get; } = new(long.MaxValue, long.MaxValue, long.MaxValue, long.MaxValue);

    /// <summary>What the caller expects, within what the store allows.</summary>
    internal ExtractOptions OptionsFor(StoreProtocol.Expectations expect) => new()
    {
        ExpectedDiffId = expect.DiffId,
        ExpectedBlobDigest = expect.BlobDigest,
        ExpectedBlobSize = expect.BlobSize,
        MaximumSize = Math.Min(Size, expect.MaximumSize ?? long.MaxValue),
        MaximumEntries = Math.Min(Entries, expect.MaximumEntries ?? long.MaxValue),
        MaximumRatio = Ratio,
        RatioFrom = RatioFrom,
    };
}
