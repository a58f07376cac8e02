using StorageActors.Archive.Tar;
using Xunit;
using static StorageActors.UnitTests.Archive.RawTar;

namespace StorageActors.UnitTests.Archive.Tar;

/// <summary>Ends, faults, limits; and archives that are cut or damaged anywhere.</summary>
public sealed class TarFaultTests
{
    [Fact]
    public void Nothing_at_all_is_an_archive_without_entries()
    {
        using var run = new ArchiveRun([]);
        Assert.Empty(run.Entries);
    }

    [Fact]
    public void An_archive_may_lack_its_end_marker_or_half_of_it_or_the_last_padding()
    {
        foreach (var tar in (RawTar[])[
            new RawTar().Entry("a", "x"), new RawTar().Entry("a", "x").End(1), new RawTar().Header("a"u8.ToArray(), 1, '0').Raw((byte)'x')])
        {
            using var run = new ArchiveRun(tar.ToArray());
            Assert.Equal("x", run["a"].Content);
            Assert.Equal(tar.ToArray(), run.Assemble());
        }
    }

    [Fact]
    public void A_lone_zero_block_between_entries_means_nothing()
    {
        using var run = new ArchiveRun(new RawTar().Entry("a").End(1).Entry("b").End().ToArray());
        Assert.Equal(["a", "b"], run.Entries.Select(entry => entry.Name));
        Assert.Equal(run.Archive, run.Assemble());
    }

    [Fact]
    public void What_follows_the_end_marker_is_recorded_and_not_read()
    {
        var tar = new RawTar().Entry("a", "x").End().Entry("never", "y").Raw([.. Enumerable.Range(0, 3_000_000).Select(i => (byte)(i * 7))]);
        using var run = new ArchiveRun(tar.ToArray());
        Assert.Equal("a", Assert.Single(run.Entries).Name);
        Assert.Equal(tar.ToArray(), run.Assemble());
    }

    [Theory]
    [InlineData("not a tar archive at all, but long enough to fill a block")]
    public void Bytes_that_are_no_tar_are_refused_with_the_place(string text)
    {
        var error = Refused(new RawTar().Entry("a").Raw(Latin1(text)).Raw(new byte[1024]), TarFault.Malformed);
        Assert.Equal((2L, 512L), (error.EntryNumber, error.Offset));
        Assert.Contains("entry 2 at byte 512", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_payload_shorter_than_its_header_says_is_no_end()
    {
        var error = Refused(new RawTar().Header("a"u8.ToArray(), 10, '0').Raw(1, 2, 3), TarFault.Truncated);
        Assert.Contains("7 of 10 bytes are missing", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bad_numbers_and_records_are_refused()
    {
        Refused(new RawTar().Entry("a", change: block => block[110] = (byte)'9'));
        Refused(new RawTar().Entry("a", change: block => block.AsSpan(124, 12).Fill(0xff)));              // size -1
        Refused(new RawTar().Entry("a", change: block => { block[124] = 0x80; block.AsSpan(125, 11).Fill(0xff); }));   // 2^88
        foreach (var records in (string[])["5 a=b", "7 a=b\n", "6 a=b\n7", "x a=b\n", "6 a=bb\n", " a=b\n", "6 =ab\n", "0 a=b\n", "-6 a=b\n",
            "99999999999999999999 a=b\n", "7 a\0=b\n", "12345678901234 a=b\n", Record("path", "a\0b"), Record("linkpath", "a\0b"),
            Record("size", "-1"), Record("size", "1x"), Record("uid", "u"), Record("mtime", "1.x"), Record("mtime", "."),
            Record("LIBARCHIVE.xattr.user.a", "*"), Record("LIBARCHIVE.xattr.user.%00", "YQ"), Record("SCHILY.xattr.", "v"),
            Record("GNU.sparse.major", "2"), Record("GNU.sparse.name", "a\0b"), Record("GNU.sparse.numbytes", "1")])
            Refused(new RawTar().Pax('x', records).Entry("a").End());
        Refused(new RawTar().Pax('g', "junk").Entry("a").End());
        Refused(new RawTar().Pax('x', Record("path", "a")).End());                                        // records of nothing
        Refused(new RawTar().Pax('x', Record("path", "a")), TarFault.Truncated);
        Refused(new RawTar().Pax('x', Record("GNU.sparse.map", "0,0"), Record("GNU.sparse.size", "0")).Entry("d", type: '5').End());
    }

    [Fact]
    public void Limits_hold()
    {
        var small = new TarLimits { MaxEntries = 2, MaxPaxBytes = 100, MaxLongNameBytes = 10, MaxXattrBytes = 8, MaxXattrs = 2, MaxArchiveBytes = 4096 };
        TooLarge(new RawTar().Entry("a").Entry("b").Entry("c"));
        TooLarge(new RawTar().Pax('x', Record("comment", new string('c', 100))).Entry("a"));
        TooLarge(new RawTar().Pax('x', Record("comment", new string('c', 50))).Pax('x', Record("comment", new string('c', 50))).Entry("a"));
        TooLarge(new RawTar().Pax('g', Record("comment", new string('c', 50))).Pax('g', Record("comment", new string('c', 50))).Entry("a"));
        TooLarge(new RawTar().Entry("l", new string('n', 11), 'L').Entry("a"));
        TooLarge(new RawTar().Pax('x', Record("SCHILY.xattr.abcd", "12345")).Entry("a"));
        TooLarge(new RawTar().Pax('x', Record("SCHILY.xattr.a", ""), Record("SCHILY.xattr.b", ""), Record("SCHILY.xattr.c", "")).Entry("a"));
        TooLarge(new RawTar().Entry("a", new string('x', 4000)));
        TooLarge(new RawTar().End(9));

        void TooLarge(RawTar tar) => Refused(tar, TarFault.LimitExceeded, small);
    }

    [Fact]
    public void A_claimed_length_alone_takes_no_memory()
    {
        var tar = new RawTar().Header("a"u8.ToArray(), 0, '0', change: block => { block.AsSpan(124, 12).Clear(); block[124] = 0x80; block.AsSpan(128, 8).Fill(0x7f); }).Raw(1, 2, 3);
        Refused(tar, TarFault.Truncated);
    }

    [Fact]
    public void Every_truncation_is_an_error_or_an_end_that_reproduces()
    {
        var archive = Sample().ToArray();
        var ends = 0;
        for (var length = 0; length < archive.Length; length++)
        {
            var cut = archive[..length];
            try
            {
                ArchiveRun.Scan(cut, blockSize: length % 3 == 0 ? 512 : 4096);
                ends++;
                if (length % 512 is not (0 or 1 or 511) && length % 37 != 0) continue;   // reproducing is slower than reading
                using var run = new ArchiveRun(cut);
                Assert.Equal(cut, run.Assemble());
            }
            catch (TarFormatException e)
            {
                Assert.Equal(TarFault.Truncated, e.Fault);
            }
        }

        Assert.InRange(ends, 5, archive.Length / 2);   // at the borders of entries and inside of padding
    }

    [Fact]
    public void Damage_anywhere_is_an_error_or_another_archive_that_reproduces()
    {
        var archive = Sample().ToArray();
        var random = new Random(20240229);
        int read = 0, refused = 0;
        for (var round = 0; round < 1000; round++)
        {
            var damaged = Damage(archive, random);
            try
            {
                ArchiveRun.Scan(damaged, random.Next(1, 5000));
                using var run = new ArchiveRun(damaged);
                Assert.Equal(damaged, run.Assemble());
                read++;
            }
            catch (TarFormatException)
            {
                refused++;
            }
        }

        Assert.True(read > 50 && refused > 50, $"{read} read, {refused} refused");
    }

    /// <summary>Flips, copies or cuts bytes; headers mostly get a new checksum, so that the damage gets past the first check.</summary>
    private static byte[] Damage(byte[] archive, Random random)
    {
        var bytes = archive.ToArray();
        for (var change = random.Next(1, 4); change > 0; change--)
        {
            var at = random.Next(bytes.Length);
            switch (random.Next(4))
            {
                case 0: bytes[at] = (byte)random.Next(256); break;
                case 1: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 2: bytes[at] = "0179 =xgLKS\n\0\u0080\u00ff"u8[random.Next(16)]; break;
                default: Array.Copy(bytes, random.Next(bytes.Length / 512) * 512, bytes, random.Next(bytes.Length / 512) * 512, 512); break;
            }
        }

        if (random.Next(8) != 0)
        {
            for (var start = 0; start + 512 <= bytes.Length; start += 512)
            {
                var block = bytes[start..(start + 512)];
                if (block.AsSpan(257, 5).SequenceEqual("ustar"u8)) Checksum(block);
                block.CopyTo(bytes, start);
            }
        }

        return bytes;
    }

    private static RawTar Sample()
    {
        var map = new byte[512];
        Octal(map, 0, 12, 900);
        Octal(map, 12, 12, 3);
        return new RawTar()
            .Pax('g', Record("comment", "global"))
            .Entry("dir/", type: '5')
            .Entry("dir/file", new string('f', 700))
            .Pax('x', Record("path", "pax/name"), Record("SCHILY.xattr.user.k", "v"), Record("LIBARCHIVE.xattr.user.l", "YWJj"), Record("mtime", "1.5"))
            .Entry("short", "content")
            .Entry("././@LongLink", "long/name\0", 'L', magic: Gnu).Entry("dir/link", type: '1', link: "dir/file", magic: Gnu)
            .Entry("././@LongLink", "long/target\0", 'K', magic: Gnu).Entry("dir/symlink", type: '2', link: "x", magic: Gnu)
            .Entry("dir/file", "again")
            .Header("sparse"u8.ToArray(), 6, 'S', magic: Gnu, change: block =>
            {
                Octal(block, 386, 12, 5);
                Octal(block, 398, 12, 3);
                Octal(block, 483, 12, 1000);
                block[482] = 1;
            }).Raw(map).Raw(Latin1("abcdef")).Pad()
            .Pax('x', Record("GNU.sparse.size", "30"), Record("GNU.sparse.map", "4,3,10,4")).Entry("s01", "abcdefg")
            .Pax('x', Record("GNU.sparse.major", "1"), Record("GNU.sparse.minor", "0"), Record("GNU.sparse.realsize", "20"))
            .Entry("s10", "1\n4\n3\n".PadRight(512, '\0') + "abc")
            .Entry("linked", "data", '1', link: "dir/file")
            .End().Raw(Latin1("trailing"));
    }

    private static TarFormatException Refused(RawTar tar, TarFault fault = TarFault.Malformed, TarLimits? limits = null)
    {
        var error = Assert.Throws<TarFormatException>(() => new ArchiveRun(tar.ToArray(), limits: limits));
        Assert.Equal(fault, error.Fault);
        return error;
    }
}
