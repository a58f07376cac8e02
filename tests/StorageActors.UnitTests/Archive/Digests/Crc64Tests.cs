using System.Buffers.Binary;
using StorageActors.Archive.Digests;
using Xunit;

namespace StorageActors.UnitTests.Archive.Digests;

public sealed class Crc64Tests
{
    [Fact]
    public void Check_value_is_that_of_the_ISO_polynomial() =>
        Assert.Equal(0xb90956c775a41001, Crc64.Compute("123456789"u8));

    [Fact]
    public void A_known_line_has_the_checksum_that_peers_record()
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, Crc64.Compute("hello\n"u8));
        Assert.Equal("YUw+7uLYEAA=", Convert.ToBase64String(bytes));
    }

    [Fact]
    public void Every_path_agrees_with_one_bit_at_a_time_for_all_lengths_and_offsets()
    {
        var random = new Random(1);
        var bytes = new byte[70_000];
        random.NextBytes(bytes);
        int[] lengths = [.. Enumerable.Range(0, 400), .. Enumerable.Range(0, 60).Select(_ => random.Next(400, 5000)), 65_536, 65_551];
        foreach (var length in lengths)
        {
            var piece = bytes.AsSpan(random.Next(0, 64), length);
            var expected = BitByBit(piece);
            Assert.Equal(expected, Crc64.Compute(piece));
            Assert.Equal(expected, Crc64.AppendByTables(0, piece));
        }
    }

    [Fact]
    public void Pieces_give_what_the_whole_gives()
    {
        var random = new Random(2);
        var bytes = new byte[100_000];
        random.NextBytes(bytes);
        ulong crc = 0;
        for (var start = 0; start < bytes.Length;)
        {
            var count = Math.Min(random.Next(0, 3000), bytes.Length - start);
            crc = Crc64.Append(crc, bytes.AsSpan(start, count));
            start += count;
        }

        Assert.Equal(Crc64.Compute(bytes), crc);
    }

    private static ulong BitByBit(ReadOnlySpan<byte> bytes)
    {
        var crc = ulong.MaxValue;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xD800000000000000 : crc >> 1;
        }

        return ~crc;
    }
}
