using System.IO.Compression;
using StorageActors.Linux.Codecs;
using StorageActors.Protocol;

namespace StorageActors.Archive.Compression;

/// <summary>Recognises and opens the compressions that layers come in.</summary>
internal static class Codec
{
    /// <summary>How many bytes <see cref="Detect"/> wants to see, if the input has that many.</summary>
    internal const int DetectionBytes = 10;

    /// <summary>Tells the compression by the first bytes; anything unknown is taken for a plain tar, whose reader will judge it.</summary>
    internal static LayerCompression Detect(ReadOnlySpan<byte> first)
    {
        if (first.StartsWith((ReadOnlySpan<byte>)[0x1f, 0x8b, 0x08])) return LayerCompression.Gzip;
        if (first.StartsWith((ReadOnlySpan<byte>)[0x28, 0xb5, 0x2f, 0xfd])) return LayerCompression.Zstd;
        // A skippable frame may come first (zstd:chunked).
        if (first.Length >= 4 && (first[0] & 0xf0) == 0x50 && first[1..].StartsWith((ReadOnlySpan<byte>)[0x2a, 0x4d, 0x18])) return LayerCompression.Zstd;
        if (first.StartsWith((ReadOnlySpan<byte>)[0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])) return LayerCompression.Xz;
        return IsBzip2(first) ? LayerCompression.Bzip2 : LayerCompression.None;
    }

    /// <summary>"BZh" alone may begin a tar (it is the first entry's name then): the block's magic must follow.</summary>
    private static bool IsBzip2(ReadOnlySpan<byte> first) =>
        first.Length >= 10 && first.StartsWith("BZh"u8) && first[3] is >= (byte)'1' and <= (byte)'9'
        && (first[4..].StartsWith((ReadOnlySpan<byte>)[0x31, 0x41, 0x59, 0x26, 0x53, 0x59])
            || first[4..].StartsWith((ReadOnlySpan<byte>)[0x17, 0x72, 0x45, 0x38, 0x50, 0x90]));

    /// <summary>Opens an input whose compression its first bytes tell. The decoded stream ends only where the input is complete: damage and
    /// truncation are <see cref="CompressedDataException"/>s.</summary>
    /// <param name="input">Not disposed. The decoder may leave its end unread; the owner drains it.</param>
    internal static (Stream Decoded, LayerCompression Compression) OpenDecoder(Stream input)
    {
        var first = new byte[DetectionBytes];
        var count = input.ReadAtLeast(first, first.Length, throwOnEndOfStream: false);
        var compression = Detect(first.AsSpan(0, count));
        return (OpenDecoder(new PrefixedStream(first.AsMemory(0, count), input), compression), compression);
    }

    /// <summary>Opens an input of a known compression; see the other overload.</summary>
    internal static Stream OpenDecoder(Stream input, LayerCompression compression) => compression switch
    {
        LayerCompression.None => input,
        LayerCompression.Gzip => new GzipReadStream(input),
        LayerCompression.Zstd => new NativeDecoderStream(input, compression, Available(compression, ZstdDecoder.IsAvailable, () => new ZstdDecoder())),
        LayerCompression.Xz => new NativeDecoderStream(input, compression, Available(compression, LzmaDecoder.IsAvailable, () => new LzmaDecoder())),
        LayerCompression.Bzip2 => new NativeDecoderStream(input, compression, Available(compression, Bzip2Decoder.IsAvailable, () => new Bzip2Decoder())),
        _ => throw new ArgumentOutOfRangeException(nameof(compression), compression, "no such compression"),
    };

    /// <summary>Whether <see cref="OpenEncoder"/> knows the compression; old formats are only read.</summary>
    internal static bool CanEncode(LayerCompression compression) =>
        compression is LayerCompression.None or LayerCompression.Gzip or LayerCompression.Zstd;

    /// <summary>Compresses what is written to the returned stream; disposing it ends the compressed data and leaves the output open.</summary>
    /// <param name="output">Receives the compressed data; not disposed.</param>
    /// <param name="compression">None, gzip or zstd.</param>
    /// <param name="fast">Prefers speed to size (gzip only; zstd is always at level 3).</param>
    internal static Stream OpenEncoder(Stream output, LayerCompression compression, bool fast = true) => compression switch
    {
        LayerCompression.None => new UndisposedStream(output),
        LayerCompression.Gzip => new GZipStream(output, fast ? CompressionLevel.Fastest : CompressionLevel.Optimal, leaveOpen: true),
        LayerCompression.Zstd => new ZstdWriteStream(output, Available(compression, ZstdEncoder.IsAvailable, () => new ZstdEncoder())),
        _ => throw new ArgumentOutOfRangeException(nameof(compression), compression, "only none, gzip and zstd are written"),
    };

    private static T Available<T>(LayerCompression compression, bool isAvailable, Func<T> create) =>
        isAvailable ? create() : throw new CompressedDataException(compression, compression switch
        {
            LayerCompression.Zstd => "this host lacks libzstd.so.1; install it (Debian and Ubuntu: libzstd1, Fedora: libzstd)",
            LayerCompression.Xz => "this host lacks liblzma.so.5; install it (Debian and Ubuntu: liblzma5, Fedora: xz-libs)",
            _ => "this host lacks libbz2.so.1; install it (Debian and Ubuntu: libbz2-1.0, Fedora: bzip2-libs)",
        });
}
