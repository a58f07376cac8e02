using StorageActors.Archive.Tar;
using Xunit;
using static StorageActors.UnitTests.Archive.RawTar;

namespace StorageActors.UnitTests.Archive.Tar;

public sealed class SparseTests
{
    private const string Expanded = "\0\0\0\0abc\0\0\0defg\0\0";

    [Fact]
    public void Old_gnu_map_in_the_header()
    {
        var tar = new RawTar().Entry("s", "abcdefg", 'S', magic: Gnu, change: block =>
        {
            OldMap(block, 386, (4, 3), (10, 4));
            RealSize(block, 16);
        }).Entry("next").End();
        AssertSparse(tar, "s");
    }

    [Fact]
    public void Old_gnu_map_that_goes_on_in_blocks_of_its_own()
    {
        var extents = Enumerable.Range(0, 4 + 21 + 5).Select(i => (Offset: i * 3, Length: 1)).ToArray();
        var content = new string([.. Enumerable.Range(0, 30).Select(i => (char)('A' + i))]);
        byte[] first = new byte[512], second = new byte[512];
        OldMap(first, 0, extents[4..25]);
        first[504] = 1;
        OldMap(second, 0, extents[25..]);
        var tar = new RawTar().Header(Latin1("s"), 30, 'S', magic: Gnu, change: block =>
            {
                OldMap(block, 386, extents[..4]);
                RealSize(block, 100);
                block[482] = 1;
            }).Raw(first).Raw(second).Raw(Latin1(content)).Pad().End();
        using var run = new ArchiveRun(tar.ToArray());
        Assert.Equal(100, run["s"].Size);
        Assert.Equal(string.Concat(content.Select(value => $"{value}\0\0")).PadRight(100, '\0'), run["s"].Content);
        Assert.Equal(tar.ToArray(), run.Assemble());
    }

    [Fact]
    public void Pax_0_0_map_of_repeated_records() => AssertSparse(new RawTar()
        .Pax('x', Record("GNU.sparse.size", "16"), Record("GNU.sparse.numblocks", "2"), Record("GNU.sparse.offset", "4"),
            Record("GNU.sparse.numbytes", "3"), Record("GNU.sparse.offset", "10"), Record("GNU.sparse.numbytes", "4"))
        .Entry("s", "abcdefg").End(), "s");

    [Fact]
    public void Pax_0_1_map_in_one_record() => AssertSparse(new RawTar()
        .Pax('x', Record("GNU.sparse.size", "16"), Record("GNU.sparse.name", "real/name"), Record("GNU.sparse.numblocks", "2"),
            Record("GNU.sparse.map", "4,3,10,4"))
        .Entry("GNUSparseFile.0/name", "abcdefg").End(), "real/name");

    [Fact]
    public void Pax_1_0_map_in_front_of_the_data() => AssertSparse(new RawTar()
        .Pax('x', Record("GNU.sparse.major", "1"), Record("GNU.sparse.minor", "0"), Record("GNU.sparse.name", "real/name"),
            Record("GNU.sparse.realsize", "16"))
        .Entry("GNUSparseFile.0/name", "2\n4\n3\n10\n4\n".PadRight(512, '\0') + "abcdefg").End(), "real/name");

    [Fact]
    public void A_file_that_is_one_hole_has_no_payload()
    {
        using var run = new ArchiveRun(new RawTar()
            .Pax('x', Record("GNU.sparse.major", "1"), Record("GNU.sparse.minor", "0"), Record("GNU.sparse.realsize", "5"))
            .Entry("s", "1\n5\n0\n".PadRight(512, '\0')).End().ToArray());
        Assert.Equal((5L, "\0\0\0\0\0"), (run["s"].Size, run["s"].Content));
    }

    [Theory]
    [InlineData("4,3,6,4", "16", "abcdefg")]              // overlap
    [InlineData("10,4,4,3", "16", "abcdefg")]             // descending
    [InlineData("4,3,10,4", "13", "abcdefg")]             // outside
    [InlineData("4,3,10,4", "16", "abcdef")]              // more than the payload
    [InlineData("4,3,10,4", "16", "abcdefgh")]            // less than the payload
    [InlineData("4,3,10", "16", "abcdefg")]               // odd
    [InlineData("4,x", "16", "abcdefg")]
    [InlineData("0,9223372036854775807,9,9223372036854775807", "16", "abcdefg")]
    public void A_map_that_makes_no_sense_is_refused(string map, string size, string content)
    {
        var tar = new RawTar().Pax('x', Record("GNU.sparse.size", size), Record("GNU.sparse.map", map)).Entry("s", content).End();
        var error = Assert.Throws<TarFormatException>(() => new ArchiveRun(tar.ToArray()));
        Assert.Equal(TarFault.Malformed, error.Fault);
    }

    [Theory]
    [InlineData("2\n4\n3\n10\n")]
    [InlineData("x\n")]
    [InlineData("\n")]
    [InlineData("99999999999999999999\n")]
    [InlineData("-1\n")]
    public void A_map_in_the_data_that_makes_no_sense_is_refused(string map)
    {
        var tar = new RawTar().Pax('x', Record("GNU.sparse.major", "1"), Record("GNU.sparse.minor", "0"), Record("GNU.sparse.realsize", "16"))
            .Entry("s", map.PadRight(512, '\0') + "abcdefg").End();
        Assert.Throws<TarFormatException>(() => new ArchiveRun(tar.ToArray()));
    }

    [Fact]
    public void A_file_without_data_and_of_less_than_no_length_is_refused()
    {
        var tar = new RawTar().Header("s"u8.ToArray(), 0, 'S', magic: Gnu, change: block => block.AsSpan(483, 12).Fill(0xff)).End();   // -1
        var error = Assert.Throws<TarFormatException>(() => new ArchiveRun(tar.ToArray()));
        Assert.Equal(TarFault.Malformed, error.Fault);
    }

    [Fact]
    public void A_map_of_too_many_runs_is_refused()
    {
        var map = string.Join(',', Enumerable.Range(0, 20).Select(i => $"{i},1"));
        var tar = new RawTar().Pax('x', Record("GNU.sparse.size", "20"), Record("GNU.sparse.map", map)).Entry("s", new string('a', 20)).End();
        var error = Assert.Throws<TarFormatException>(() => new ArchiveRun(tar.ToArray(), limits: new TarLimits { MaxSparseExtents = 19 }));
        Assert.Equal(TarFault.LimitExceeded, error.Fault);
    }

    private static void AssertSparse(RawTar tar, string name)
    {
        foreach (var blockSize in (int[])[1, 100, 512, 1 << 20])
        {
            using var run = new ArchiveRun(tar.ToArray(), blockSize);
            var entry = run[name];
            Assert.Equal((TarEntryType.RegularFile, 16L, "4+3 10+4", Expanded), (entry.Type, entry.Size, entry.Extents, entry.Content));
            Assert.Equal(tar.ToArray(), run.Assemble());
        }
    }

    private static void OldMap(byte[] block, int offset, params (int Offset, int Length)[] extents)
    {
        foreach (var extent in extents)
        {
            Octal(block, offset, 12, extent.Offset);
            Octal(block, offset + 12, 12, extent.Length);
            offset += 24;
        }
    }

    private static void RealSize(byte[] block, long size) => Octal(block, 483, 12, size);
}
