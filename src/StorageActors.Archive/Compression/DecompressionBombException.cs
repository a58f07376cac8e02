namespace StorageActors.Archive.Compression;

/// <summary>A few compressed bytes unfold to more than the store takes.</summary>
internal sealed class DecompressionBombException : IOException
{
    /// <summary>Describes how far it got.</summary>
    /// <param name="read">Compressed bytes until then.</param>
    /// <param name="unfolded">What came out of them.</param>
    /// <param name="ratio">How many bytes for each were acceptable.</param>
    internal DecompressionBombException(long read, long unfolded, long ratio)
        : base($"{read} compressed bytes have unfolded to {unfolded} so far, more than {ratio} for each, as in a decompression bomb; if it is none, raise limits.ratio")
    {
    }
}
