using StorageActors.Protocol;

namespace StorageActors.Archive.Compression;

/// <summary>Compressed input cannot be decompressed: it is damaged, it ends too early, or the library for its format is missing.</summary>
public sealed class CompressedDataException : IOException
{
    /// <summary>Describes what is wrong.</summary>
    /// <param name="compression">The format of the input.</param>
    /// <param name="reason">What was found, or what is missing.</param>
    /// <param name="inner">What lies behind, or null.</param>
    public CompressedDataException(LayerCompression compression, string reason, Exception? inner = null)
        : base($"{compression.ToString().ToLowerInvariant()}: {reason}", inner) => Compression = compression;

    /// <summary>The format of the input.</summary>
    public LayerCompression Compression { get; }
}
