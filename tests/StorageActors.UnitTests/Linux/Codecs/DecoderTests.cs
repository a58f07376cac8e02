using System.Text;
using StorageActors.Linux.Codecs;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.UnitTests.Linux.Codecs;

/// <summary>The three decoders behind one shape, with the host's libraries.</summary>
public sealed class DecoderTests
{
    // Each is two streams, "first " and "second", as the reference tools write them.
    private const string Xz1 = "fd377a585a000004e6d6b4460200210116000000742fe5a3010005666972737420000000e6f51b512479107200011e06c12fa41d1fb6f37d010000000004595a";
    private const string Xz2 = "fd377a585a000004e6d6b4460200210116000000742fe5a30100057365636f6e6400000038e888c5c630b47400011e06c12fa41d1fb6f37d010000000004595a";
    private const string Bzip1 = "425a6839314159265359a4639dbb0000009180400001201c00200021800c03272ee2ee48a70a12148c73b760";
    private const string Bzip2 = "425a6839314159265359268a023400000281800e0188002000221868300702985dc914e142409a2808d0";

    public static TheoryData<string, int, int> Shapes()
    {
        var shapes = new TheoryData<string, int, int>();
        foreach (var codec in new[] { "zstd", "xz", "bzip2" })
        {
            foreach (var (input, output) in new[] { (1, 1), (1, 100), (1000, 1), (1000, 100), (1000, 6) }) shapes.Add(codec, input, output);
        }
        return shapes;
    }

    [SkippableTheory]
    [MemberData(nameof(Shapes))]
    public void Streams_one_after_the_other_are_one_content_however_the_buffers_fall(string codec, int input, int output)
    {
        using var decoder = Open(codec);
        Assert.Equal("first second", Decode(decoder, TwoStreams(codec), input, output));
        Assert.True(decoder.IsComplete);
    }

    [SkippableTheory]
    [InlineData("zstd")]
    [InlineData("xz")]
    [InlineData("bzip2")]
    public void Input_that_ends_too_early_is_incomplete_wherever_it_is_cut(string codec)
    {
        var (first, second) = (Stream(codec, 0), Stream(codec, 1));
        for (var length = 1; length < first.Length + second.Length; length++)
        {
            using var decoder = Open(codec);
            Decode(decoder, first.Concat(second).Take(length).ToArray(), 1000, 100);
            Assert.Equal(length == first.Length, decoder.IsComplete);
        }
    }

    [SkippableTheory]
    [InlineData("zstd")]
    [InlineData("xz")]
    [InlineData("bzip2")]
    public void A_changed_byte_of_content_is_refused_in_the_librarys_words(string codec)
    {
        var content = new byte[10_000];
        new Random(1).NextBytes(content);
        var data = Compress(codec, content);
        data[data.Length / 2] ^= 0x40;
        using var decoder = Open(codec);
        var error = Assert.Throws<CodecException>(() => Decode(decoder, data, 1000, 100));
        Assert.StartsWith(codec + ": ", error.Message, StringComparison.Ordinal);
        Assert.Equal(codec, error.Codec);
    }

    [SkippableTheory]
    [InlineData("zstd")]
    [InlineData("xz")]
    [InlineData("bzip2")]
    public void What_is_no_stream_of_the_format_is_refused_also_behind_a_good_one(string codec)
    {
        using (var decoder = Open(codec)) Assert.Throws<CodecException>(() => Decode(decoder, "this is plain text"u8.ToArray(), 1000, 100));
        using (var decoder = Open(codec))
        {
            var data = Stream(codec, 0).Concat("garbage garbage"u8.ToArray()).ToArray();
            Assert.Throws<CodecException>(() => Decode(decoder, data, 1000, 100));
        }
    }

    [SkippableTheory]
    [InlineData(4, true)]
    [InlineData(8, true)]
    [InlineData(5, false)]
    public void Padding_between_xz_streams_comes_in_words_of_four_bytes(int length, bool isGood)
    {
        using var decoder = Open("xz");
        byte[] data = [.. Stream("xz", 0), .. new byte[length], .. Stream("xz", 1), .. new byte[length]];
        if (isGood)
        {
            Assert.Equal("first second", Decode(decoder, data, 3, 100));
            Assert.True(decoder.IsComplete);
        }
        else
        {
            Assert.Throws<CodecException>(() => Decode(decoder, data, 3, 100));
        }
    }

    [SkippableFact]
    public void A_frame_that_asks_for_too_much_memory_is_refused()
    {
        using (var xz = new LzmaDecoder(memoryLimit: 1000))
        {
            var error = Assert.Throws<CodecException>(() => Decode(xz, Stream("xz", 0), 1000, 100));
            Assert.Contains("memory", error.Message, StringComparison.Ordinal);
        }
        // A frame header with a window of 2 GiB (descriptor 0, window 0xA8), and one raw block.
        using var zstd = new ZstdDecoder();
        Assert.Throws<CodecException>(() => Decode(zstd, Convert.FromHexString("28b52ffd00a8090000" + "61"), 1000, 100));
    }

    [SkippableTheory]
    [InlineData(0, 0)]
    [InlineData(1, 0)]
    [InlineData(5_000_000, 0)]
    [InlineData(5_000_000, 2)]
    public void What_the_encoder_writes_the_decoder_reads(int size, int workers)
    {
        var content = new byte[size];
        var random = new Random(7);
        for (var index = 0; index < size; index++) content[index] = (byte)random.Next(0, 7);
        var data = Encode(content, workers);
        Assert.True(data.Length < (size / 2) + 100);
        using var decoder = Open("zstd");
        using var result = new MemoryStream();
        Decode(decoder, data, 70_000, 50_000, result);
        Assert.True(content.AsSpan().SequenceEqual(result.ToArray()));
        Assert.True(decoder.IsComplete);
    }

    [SkippableFact]
    public void What_was_flushed_can_be_read_before_the_frame_ends()
    {
        using var encoder = new ZstdEncoder();
        using var decoder = Open("zstd");
        var buffer = new byte[1000];
        Assert.True(encoder.Encode("early"u8, buffer, EncodeOperation.Flush, out _, out var written));
        Assert.Equal("early", Decode(decoder, buffer[..written], 1000, 100));
        Assert.False(decoder.IsComplete);
    }

    [SkippableFact]
    public void A_disposed_codec_says_so()
    {
        foreach (var codec in new[] { "zstd", "xz", "bzip2" })
        {
            var decoder = Open(codec);
            decoder.Dispose();
            decoder.Dispose();
            Assert.Throws<ObjectDisposedException>(() => decoder.Decode([1], new byte[1], out _, out _));
        }
    }

    private static NativeDecoder Open(string codec)
    {
        var isAvailable = codec switch { "zstd" => ZstdDecoder.IsAvailable, "xz" => LzmaDecoder.IsAvailable, _ => Bzip2Decoder.IsAvailable };
        RequiredTiers.SkipUnless(isAvailable, "codecs", $"needs the library of {codec}");
        return codec switch { "zstd" => new ZstdDecoder(), "xz" => new LzmaDecoder(), _ => new Bzip2Decoder() };
    }

    private static byte[] Stream(string codec, int number) => codec switch
    {
        "zstd" => Encode(number == 0 ? "first "u8.ToArray() : "second"u8.ToArray(), 0),
        "xz" => Convert.FromHexString(number == 0 ? Xz1 : Xz2),
        _ => Convert.FromHexString(number == 0 ? Bzip1 : Bzip2),
    };

    private static byte[] TwoStreams(string codec) => [.. Stream(codec, 0), .. Stream(codec, 1)];

    private static byte[] Compress(string codec, byte[] content)
    {
        if (codec == "zstd") return Encode(content, 0);
        var program = Tools.Require(codec);
        using var temp = new TempDirectory();
        File.WriteAllBytes(temp["content"], content);
        Command.Run(program, "--keep", temp["content"]);
        return File.ReadAllBytes(Directory.GetFiles(temp.Path).Single(path => path != temp["content"]));
    }

    private static byte[] Encode(byte[] content, int workers)
    {
        RequiredTiers.SkipUnless(ZstdEncoder.IsAvailable, "codecs", "needs the library of zstd");
        using var encoder = new ZstdEncoder(level: 3, workers);
        using var result = new MemoryStream();
        var buffer = new byte[1000];
        ReadOnlySpan<byte> rest = content;
        for (var isDone = false; !isDone;)
        {
            var piece = rest[..Math.Min(rest.Length, 100_000)];
            var operation = piece.Length == rest.Length ? EncodeOperation.End : EncodeOperation.Continue;
            isDone = encoder.Encode(piece, buffer, operation, out var consumed, out var written) && operation == EncodeOperation.End;
            rest = rest[consumed..];
            result.Write(buffer, 0, written);
        }
        return result.ToArray();
    }

    private static string Decode(NativeDecoder decoder, byte[] data, int input, int output)
    {
        using var result = new MemoryStream();
        Decode(decoder, data, input, output, result);
        return Encoding.ASCII.GetString(result.ToArray());
    }

    /// <summary>The loop that a stream over a decoder runs, too.</summary>
    private static void Decode(NativeDecoder decoder, byte[] data, int input, int output, MemoryStream result)
    {
        var target = new byte[output];
        ReadOnlySpan<byte> rest = data;
        while (true)
        {
            var piece = rest[..Math.Min(input, rest.Length)];
            var status = decoder.Decode(piece, target, out var consumed, out var written);
            result.Write(target, 0, written);
            rest = rest[consumed..];
            if (rest.IsEmpty && status != DecodeStatus.NeedOutput) return;
        }
    }
}
