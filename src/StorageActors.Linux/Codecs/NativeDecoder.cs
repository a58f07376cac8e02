namespace StorageActors.Linux.Codecs;

/// <summary>What a call of <see cref="NativeDecoder.Decode"/> achieved.</summary>
internal enum DecodeStatus
{
    /// <summary>All input was taken; give more.</summary>
    NeedInput,

    /// <summary>The output is full; call again with the rest of the input (even with none) and a fresh output.</summary>
    NeedOutput,

    /// <summary>A frame or stream is complete. Further input starts the next one, as concatenated files do.</summary>
    EndOfFrame,
}

/// <summary>
/// Decompresses through a C library of the host, span by span. Not thread-safe. A frame that ends is followed by the next
/// one without further ado: at the end of the input, <see cref="IsComplete"/> tells truncation from completion.
/// </summary>
internal abstract class NativeDecoder : IDisposable
{
    /// <summary>Nothing, or nothing but whole frames, has been decoded so far.</summary>
    internal abstract bool IsComplete { get; }

    /// <summary>Decodes as much as fits.</summary>
    /// <exception cref="CodecException">The input is corrupt, or asks for more memory than was allowed.</exception>
    internal abstract DecodeStatus Decode(ReadOnlySpan<byte> source, Span<byte> target, out int consumed, out int written);

    /// <summary>Frees the library's memory.</summary>
    public abstract void Dispose();
}

/// <summary>Compressed data that a library rejected, in the library's words.</summary>
public sealed class CodecException : IOException
{
    /// <summary>Names the codec and what it said.</summary>
    public CodecException(string codec, string message)
        : base($"{codec}: {message}") => Codec = codec;

    /// <summary>The format: zstd, xz or bzip2.</summary>
    public string Codec { get; }
}
