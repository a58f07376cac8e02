using System.Globalization;
using System.Text;
using StorageActors.Protocol;
using StorageActors.Records;
using Xunit;

namespace StorageActors.EngineTests.Records;

/// <summary>What a table of layers is looked up by.</summary>
public sealed class RowsByKeyTests
{
    [Fact]
    public void Rows_with_a_key_come_in_the_order_of_the_table_and_rows_without_one_never()
    {
        byte[][] keys = [.. Enumerable.Range(0, 2000).Select(static row => row % 3 == 0 ? [] : Encoding.UTF8.GetBytes((row % 7).ToString(CultureInfo.InvariantCulture)))];
        var rows = new RowsByKey(keys.Length, row => keys[row]);
        for (var key = 0; key < 8; key++)
        {
            var expected = Enumerable.Range(0, keys.Length).Where(row => row % 3 != 0 && row % 7 == key);
            Assert.Equal(expected, All(rows, Encoding.UTF8.GetBytes(key.ToString(CultureInfo.InvariantCulture))));
        }

        Assert.Null(rows.First([]));
        Assert.Null(new RowsByKey(0, static _ => []).First("a"u8));
    }

    [Fact]
    public void Each_of_many_keys_is_found()
    {
        byte[][] keys = [.. Enumerable.Range(0, 5000).Select(static row => Encoding.UTF8.GetBytes($"layer-{row}"))];
        var rows = new RowsByKey(keys.Length, row => keys[row]);
        for (var row = 0; row < keys.Length; row++) Assert.Equal([row], All(rows, keys[row]));
        Assert.Null(rows.First("layer-5000"u8));
    }

    /// <summary>The rule stands twice: for texts, which come from people, and for bytes, which come from directories and snapshots.</summary>
    [Fact]
    public void What_is_an_id_as_bytes_is_one_as_a_text()
    {
        for (var value = 0; value < 256; value++)
        {
            var (one, other) = ((char)value, (byte)value);
            foreach (var (text, bytes) in new (string, byte[])[] { ($"{one}x", [other, (byte)'x']), ($"x{one}", [(byte)'x', other]), ($"x{one}x", [(byte)'x', other, (byte)'x']) })
                Assert.Equal(IsId(text), IdKey.IsId(bytes));
        }

        foreach (var length in new[] { 0, 1, 2, 64, 127, 128, 129, 4000 }) Assert.Equal(IsId(new string('a', length)), IdKey.IsId(Encoding.UTF8.GetBytes(new string('a', length))));
    }

    /// <summary>It is on disk: another number for a name would have every start list its names.</summary>
    [Fact]
    public void The_sum_of_names_is_what_it_always_was_in_whatever_order_they_come()
    {
        var sum = NameSum.None.With("ab"u8).With("layer-1"u8).With("layer-2"u8);
        Assert.Equal(sum, NameSum.None.With("layer-2"u8).With("ab"u8).With("layer-1"u8));
        Assert.Equal(sum, NameSum.None.With("x"u8).With("layer-2"u8).With("ab"u8).With("layer-1"u8).Without("x"u8));
        Assert.NotEqual(sum, NameSum.None.With("layer-2"u8).With("ab"u8).With("layer-3"u8));
        Assert.NotEqual(sum, NameSum.None.With("layer-2"u8).With("ab"u8).With("layer-1"u8).With("x"u8));
        Assert.Equal(new NameSum(3, -7342092645210755481), sum);
    }

    /// <summary>Names that differ alike, as those of programs that count do, must not cancel out.</summary>
    [Fact]
    public void Names_that_change_places_of_digits_have_another_sum()
    {
        var sums = new HashSet<NameSum>();
        for (var one = 0; one < 60; one++)
        {
            for (var other = 0; other < 60; other++)
            {
                for (var third = 0; third < 10; third++) sums.Add(NameSum.None.With(Encoding.UTF8.GetBytes($"a{one}-{other}")).With(Encoding.UTF8.GetBytes($"b{other}-{third}")));
            }
        }

        Assert.Equal(60 * 60 * 10, sums.Count);
    }

    private static bool IsId(string text)
    {
        try
        {
            LayerId.Parse(text);
            return true;
        }
        catch (FormatException)
        {
            return false;
        }
    }

    private static List<int> All(RowsByKey rows, ReadOnlySpan<byte> key)
    {
        var found = new List<int>();
        for (var row = rows.First(key); row is { } one; row = rows.Next(one)) found.Add(one);
        return found;
    }
}
