using StorageActors.Protocol;

namespace StorageActors.Images;

/// <summary>How an image is to be imported.</summary>
public sealed record ImportOptions
{
    /// <summary>Names to give it; those that it has where it lies, if none are given.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>Which image of an index; this machine's platform if not given.</summary>
    public Platform? Platform { get; init; }

    /// <summary>When the image was made; what its configuration says if not given, and if that does not say, now.</summary>
    public DateTimeOffset? Created { get; init; }

    /// <summary>Labels for it, besides those that it has if the store has it already; an empty value removes one of those.</summary>
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    /// <summary>Limit for each layer's uncompressed tar, in bytes.</summary>
    public long? MaximumSize { get; init; }

    /// <summary>
    /// Whether compressed layers' blobs are kept, too, so that the image is exported with the same digests. Without them an export compresses anew, which
    /// gives other bytes and so another manifest.
    /// </summary>
    public bool KeepBlobs { get; init; } = true;
}

/// <summary>What came of an import.</summary>
/// <param name="Image">The image's record.</param>
/// <param name="Layers">Its layers, base first.</param>
/// <param name="Bytes">Bytes of the blobs.</param>
/// <param name="Seconds">How long it took.</param>
public sealed record ImportResult(ImageRecord Image, IReadOnlyList<StoreProtocol.AppliedLayer> Layers, long Bytes, double Seconds);

/// <summary>How far one layer of an import, or of an export, is.</summary>
/// <param name="Layer">Which layer, counted from 0.</param>
/// <param name="Layers">How many there are.</param>
/// <param name="DiffId">The layer's DiffID.</param>
/// <param name="Staging">Where its extraction, or the writing of its tar or blob, stands.</param>
public sealed record ImportProgress(int Layer, int Layers, Digest DiffId, StagingProgress Staging);
