using System.IO.Compression;
using StorageActors.Archive.Compression;
using StorageActors.Linux.Codecs;
using StorageActors.Protocol;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.UnitTests.Archive.Compression;

public sealed class CodecTests
{
    private static readonly byte[] Content = MakeContent(300_000);

    public static TheoryData<LayerCompression> All =>
        [LayerCompression.None, LayerCompression.Gzip, LayerCompression.Zstd, LayerCompression.Xz, LayerCompression.Bzip2];

    public static TheoryData<LayerCompression> Compressed => [LayerCompression.Gzip, LayerCompression.Zstd, LayerCompression.Xz, LayerCompression.Bzip2];

    [SkippableTheory]
    [MemberData(nameof(All))]
    public void What_the_tool_compresses_is_recognised_and_decoded(LayerCompression compression)
    {
        var (decoded, found) = Decode(Tool(compression, Content));
        Assert.Equal(compression, found);
        Assert.True(Content.AsSpan().SequenceEqual(decoded));
    }

    [SkippableTheory]
    [MemberData(nameof(Compressed))]
    public void Concatenated_members_are_one_content_also_empty_ones(LayerCompression compression)
    {
        byte[] input = [.. Tool(compression, Content), .. Tool(compression, []), .. Tool(compression, [1, 2, 3])];
        byte[] expected = [.. Content, 1, 2, 3];
        Assert.True(Decode(input).Content.AsSpan().SequenceEqual(expected));
    }

    [SkippableTheory]
    [MemberData(nameof(Compressed))]
    public void Truncation_anywhere_is_an_error(LayerCompression compression)
    {
        var input = Tool(compression, Content[..20_000]);
        for (var length = 10; length < input.Length; length += 1 + (length % 97)) Assert.Throws<CompressedDataException>(() => Decode(input[..length]));
        for (var length = input.Length - 12; length < input.Length; length++) Assert.Throws<CompressedDataException>(() => Decode(input[..length]));
        byte[] two = [.. input, .. input];
        for (var length = input.Length + 4; length < two.Length; length += 501) Assert.Throws<CompressedDataException>(() => Decode(two[..length]));
    }

    [SkippableTheory]
    [MemberData(nameof(Compressed))]
    public void Damage_is_an_error_and_never_other_content(LayerCompression compression)
    {
        var input = Tool(compression, Content[..20_000]);
        var random = new Random(3);
        var refused = 0;
        for (var round = 0; round < 300; round++)
        {
            var damaged = input.ToArray();
            damaged[random.Next(10, damaged.Length)] ^= (byte)(1 << random.Next(8));
            try
            {
                Assert.True(Decode(damaged).Content.AsSpan().SequenceEqual(Content.AsSpan(0, 20_000)));
            }
            catch (CompressedDataException e)
            {
                Assert.Equal(compression, e.Compression);
                refused++;
            }
        }

        Assert.InRange(refused, 200, 300);   // a few bits mean nothing: padding, the last block's unused ones
    }

    [Fact]
    public void Padding_after_gzip_is_passed_over_wherever_the_reads_fall()
    {
        var gzip = Gzip(Content[..50_000]);
        foreach (var padding in (byte[][])[[0], new byte[5000], [1, 2, 3]])
        {
            byte[] input = [.. gzip, .. padding];
            foreach (var first in (int[])[input.Length, gzip.Length, gzip.Length + 1, gzip.Length - 1])
            {
                using var stream = new GzipReadStream(new Split(input, first));
                Assert.True(Content.AsSpan(0, 50_000).SequenceEqual(ReadAll(stream)));
            }
        }
    }

    [Fact]
    public void Members_of_gzip_may_meet_anywhere_in_a_read()
    {
        var gzip = Gzip(Content[..50_000]);
        byte[] input = [.. gzip, .. gzip], expected = [.. Content[..50_000], .. Content[..50_000]];
        for (var first = gzip.Length - 9; first < gzip.Length + 12; first++)
        {
            using var stream = new GzipReadStream(new Split(input, first));
            Assert.True(expected.AsSpan().SequenceEqual(ReadAll(stream)));
        }
    }

    [Fact]
    public void The_digest_of_the_blob_covers_what_the_decoder_leaves()
    {
        byte[] input = [.. Gzip(Content), .. new byte[700_000]];
        using var hashing = new HashingReadStream(new MemoryStream(input));
        using var decoded = Codec.OpenDecoder(hashing).Decoded;
        Assert.True(Content.AsSpan().SequenceEqual(ReadAll(decoded)));
        hashing.Drain();
        Assert.Equal((input.Length, Digest.Of(input)), (hashing.BytesRead, hashing.FinishDigest()));
    }

    [Fact]
    public void More_input_than_allowed_is_an_error()
    {
        using var fits = new HashingReadStream(new MemoryStream(Content), Content.Length);
        fits.Drain();
        using var tooLong = new HashingReadStream(new MemoryStream(Content), Content.Length - 1);
        Assert.Equal(Content.Length - 1, Assert.Throws<InputTooLargeException>(tooLong.Drain).Limit);
    }

    [SkippableFact]
    public void A_skippable_frame_in_front_is_still_zstd()
    {
        byte[] input = [0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 9, 9, 9, .. Tool(LayerCompression.Zstd, Content)];
        var (content, compression) = Decode(input);
        Assert.Equal(LayerCompression.Zstd, compression);
        Assert.True(Content.AsSpan().SequenceEqual(content));
    }

    [Fact]
    public void A_tar_whose_first_name_looks_like_a_magic_number_is_a_tar()
    {
        Assert.Equal(LayerCompression.None, Codec.Detect("BZh9/file.txt"u8));
        Assert.Equal(LayerCompression.None, Codec.Detect([]));
        Assert.Equal(LayerCompression.None, Codec.Detect([0x1f, 0x8b]));
    }

    [SkippableTheory]
    [InlineData(LayerCompression.None)]
    [InlineData(LayerCompression.Gzip)]
    [InlineData(LayerCompression.Zstd)]
    public void What_we_encode_decodes_and_the_output_stays_open(LayerCompression compression)
    {
        SkipWithoutLibrary(compression);
        Assert.True(Codec.CanEncode(compression));
        foreach (var content in (byte[][])[[], [7], Content])
        {
            using var output = new MemoryStream();
            using (var encoder = Codec.OpenEncoder(output, compression))
            {
                encoder.Write(content.AsSpan(0, content.Length / 2));
                encoder.Write(content.AsSpan(content.Length / 2));
            }

            Assert.True(output.CanWrite);
            Assert.True(content.AsSpan().SequenceEqual(Decode(output.ToArray()).Content));
        }
    }

    [SkippableFact]
    public void The_zstd_tool_reads_our_frames()
    {
        SkipWithoutLibrary(LayerCompression.Zstd);
        Tools.Require("zstd");
        using var shop = new Workshop();
        using (var file = File.Create(shop.File("c.zst")))
        using (var encoder = Codec.OpenEncoder(file, LayerCompression.Zstd))
            encoder.Write(Content);
        shop.Run("zstd -q -d c.zst -o c");
        Assert.Equal(Content, File.ReadAllBytes(shop.File("c")));
    }

    private static byte[] MakeContent(int length)
    {
        var bytes = new byte[length];
        var random = new Random(9);
        for (var i = 0; i < length; i++) bytes[i] = (byte)(random.Next(4) == 0 ? random.Next(256) : 'a');
        return bytes;
    }

    private static byte[] Gzip(byte[] content)
    {
        using var output = new MemoryStream();
        using (var gzip = new GZipStream(output, CompressionLevel.Optimal)) gzip.Write(content);
        return output.ToArray();
    }

    private static byte[] Tool(LayerCompression compression, byte[] content)
    {
        if (compression == LayerCompression.None) return content;
        var tool = compression switch { LayerCompression.Gzip => "gzip", LayerCompression.Zstd => "zstd", LayerCompression.Xz => "xz", _ => "bzip2" };
        SkipWithoutLibrary(compression);
        Tools.Require(tool);
        using var shop = new Workshop();
        File.WriteAllBytes(shop.File("content"), content);
        shop.Run($"{tool} -c < content > compressed");
        return File.ReadAllBytes(shop.File("compressed"));
    }

    private static void SkipWithoutLibrary(LayerCompression compression)
    {
        var isAvailable = compression switch
        {
            LayerCompression.Zstd => ZstdDecoder.IsAvailable,
            LayerCompression.Xz => LzmaDecoder.IsAvailable,
            LayerCompression.Bzip2 => Bzip2Decoder.IsAvailable,
            _ => true,
        };
        RequiredTiers.SkipUnless(isAvailable, "codecs", $"needs the library of {compression}");
    }

    private static (byte[] Content, LayerCompression Compression) Decode(byte[] input)
    {
        var (decoded, compression) = Codec.OpenDecoder(new Split(input, Math.Min(5, input.Length)));
        using (decoded) return (ReadAll(decoded), compression);
    }

    private static byte[] ReadAll(Stream stream)
    {
        using var output = new MemoryStream();
        stream.CopyTo(output, 60_000);
        Assert.Equal(0, stream.Read(new byte[10]));
        return output.ToArray();
    }

    /// <summary>A stream whose first read ends at a chosen place.</summary>
    private sealed class Split(byte[] bytes, int first) : ReadOnlyStream
    {
        private int _position;

        public override int Read(Span<byte> buffer)
        {
            var end = _position < first ? first : bytes.Length;
            var count = Math.Min(buffer.Length, end - _position);
            bytes.AsSpan(_position, count).CopyTo(buffer);
            _position += count;
            return count;
        }
    }
}
