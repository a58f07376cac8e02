using StorageActors.Archive.Tar;
using Xunit;
using static StorageActors.UnitTests.Archive.RawTar;

namespace StorageActors.UnitTests.Archive.Tar;

/// <summary>Hand-made archives of every dialect, each also put together again byte for byte.</summary>
public sealed class TarDialectTests
{
    [Fact]
    public void Fields_of_a_ustar_header_are_read()
    {
        var tar = new RawTar().Entry("prefixed", "hello", change: block =>
        {
            Latin1("some/dir").CopyTo(block, 345);
            Latin1("alice").CopyTo(block, 265);
            Latin1("staff").CopyTo(block, 297);
        }).End();
        var entry = Only(tar);
        Assert.Equal((TarEntryType.RegularFile, "some/dir/prefixed", "hello"), (entry.Type, entry.Name, entry.Content));
        Assert.Equal((420, 1000L, 1001L, 5L), (entry.Mode, entry.Uid, entry.Gid, entry.Size));
        Assert.Equal(("alice", "staff", new TarTime(1_700_000_000)), (entry.User, entry.Group, entry.Mtime));
    }

    [Fact]
    public void A_v7_header_has_no_prefix_and_a_slash_makes_a_directory()
    {
        var tar = new RawTar()
            .Entry("dir/", type: '\0', magic: V7, change: block => Latin1("not a prefix").CopyTo(block, 345))
            .Entry("file", "x", type: '\0', magic: V7)
            .Entry("odd/", "x", type: '0')
            .End();
        using var run = Read(tar);
        Assert.Equal((TarEntryType.Directory, "dir/"), (run.Entries[0].Type, run.Entries[0].Name));
        Assert.Equal((TarEntryType.RegularFile, "x"), (run.Entries[1].Type, run.Entries[1].Content));
        Assert.Equal(TarEntryType.RegularFile, run.Entries[2].Type);
    }

    [Fact]
    public void A_star_header_has_a_short_prefix_and_times()
    {
        var entry = Only(new RawTar().Entry("f", change: block =>
        {
            Latin1("p").CopyTo(block, 345);
            Octal(block, 476, 12, 11);
            Octal(block, 488, 12, 12);
            Latin1("tar\0").CopyTo(block, 508);
        }).End());
        Assert.Equal(("p/f", new TarTime(11), new TarTime(12)), (entry.Name, entry.Atime, entry.Ctime));
    }

    [Fact]
    public void Gnu_times_are_read_and_the_prefix_of_old_Go_writers_is_understood()
    {
        var times = Only(new RawTar().Entry("f", magic: Gnu, change: block =>
        {
            Octal(block, 345, 12, 7);
            Octal(block, 357, 12, 8);
        }).End());
        Assert.Equal(("f", new TarTime(7), new TarTime(8)), (times.Name, times.Atime, times.Ctime));
        var prefix = Only(new RawTar().Entry("f", magic: Gnu, change: block => Latin1("a/very/long/prefix").CopyTo(block, 345)).End());
        Assert.Equal(("a/very/long/prefix/f", null as TarTime?), (prefix.Name, prefix.Atime));
    }

    [Fact]
    public void Base_256_numbers_hold_what_octal_digits_cannot()
    {
        var entry = Only(new RawTar().Entry("f", magic: Gnu, change: block =>
        {
            block.AsSpan(108, 8).Clear();
            block[108] = 0x80;
            block[112] = 0xff; block[113] = 0xff; block[114] = 0xff; block[115] = 0xfe;   // 2^32 - 2
            block.AsSpan(136, 12).Fill(0xff);                                             // -1
        }).End());
        Assert.Equal((4294967294L, new TarTime(-1)), (entry.Uid, entry.Mtime));
    }

    [Fact]
    public void A_signed_checksum_is_accepted() =>
        Assert.Equal("h\u00e9", Only(new RawTar().Header(Latin1("h\u00e9"), 0, '0', signed: true).End()).Name);

    [Fact]
    public void Gnu_long_names_replace_those_of_the_header()
    {
        var name = new string('n', 300) + "/f";
        var link = new string('l', 5000);
        var entry = Only(new RawTar()
            .Entry("././@LongLink", link + "\0", 'K', magic: Gnu)
            .Entry("././@LongLink", name + "\0", 'L', magic: Gnu)
            .Entry("short", type: '2', link: "short", magic: Gnu).End());
        Assert.Equal((TarEntryType.SymbolicLink, name, link), (entry.Type, entry.Name, entry.Link));
    }

    [Fact]
    public void Pax_records_win_over_gnu_names_and_header_fields()
    {
        var entry = Only(new RawTar()
            .Entry("././@LongLink", "gnu-name\0", 'L', magic: Gnu)
            .Pax('x', Record("path", "pax/na\u00e9me"), Record("size", "3"), Record("uid", "3000000000"), Record("gid", "7"),
                Record("uname", "u"), Record("gname", "g"), Record("mtime", "-1.25"), Record("atime", "5.123456789123"),
                Record("ctime", "6"), Record("linkpath", ""), Record("comment", "x"))
            .Header(Latin1("ustar-name"), 0, '0').Raw(Latin1("abc")).Pad().End());
        Assert.Equal(("pax/na\u00e9me", "abc", 3000000000L, 7L), (entry.Name, entry.Content, entry.Uid, entry.Gid));
        Assert.Equal((new TarTime(-2, 750_000_000), new TarTime(5, 123_456_789), new TarTime(6)), (entry.Mtime, entry.Atime, entry.Ctime));
        Assert.Equal(("u", "g"), (entry.User, entry.Group));
    }

    [Fact]
    public void Global_records_are_defaults_for_metadata_but_never_name_or_size_entries()
    {
        var tar = new RawTar()
            .Pax('g', Record("mtime", "5"), Record("uid", "9"), Record("path", "everything"), Record("size", "1000"))
            .Entry("a", "1")
            .Pax('x', Record("uid", "8"))
            .Entry("b", "2")
            .Pax('g', Record("uid", "10"))
            .Entry("c", "3").End();
        using var run = Read(tar);
        Assert.Equal([("a", 9L, 5L, "1"), ("b", 8L, 5L, "2"), ("c", 10L, 5L, "3")],
            run.Entries.Select(entry => (entry.Name, entry.Uid, entry.Mtime.Seconds, entry.Content)));
    }

    [Fact]
    public void The_newest_global_record_counts_until_an_empty_one_ends_it_and_attributes_are_never_global()
    {
        var tar = new RawTar()
            .Pax('g', Record("uid", "9"), Record("uid", "10"), Record("uname", "them"), Record("SCHILY.xattr.security.capability", "x"))
            .Entry("a")
            .Pax('g', Record("uid", ""))
            .Entry("b").End();
        using var run = Read(tar);
        Assert.Equal([("a", 10L, "them", ""), ("b", 1000L, "them", "")],
            run.Entries.Select(entry => (entry.Name, entry.Uid, entry.User, entry.Xattrs)));
    }

    [Fact]
    public void Of_many_attributes_the_last_value_counts_and_each_keeps_its_place()
    {
        var records = Enumerable.Range(0, 2000).Select(i => Record($"SCHILY.xattr.user.{i % 500}", $"v{i}"));
        var entry = Only(new RawTar().Pax('x', [.. records, Record("LIBARCHIVE.xattr.user.7", Base64("old"))]).Entry("f").End());
        Assert.Equal(string.Join(' ', Enumerable.Range(0, 500).Select(i => $"user.{i}=v{i + 1500}")), entry.Xattrs);
    }

    [Fact]
    public void Extended_attributes_keep_binary_values_and_the_common_form_wins()
    {
        var entry = Only(new RawTar()
            .Pax('x', Record("LIBARCHIVE.xattr.user.a", Base64("old")), Record("SCHILY.xattr.user.a", "new\0\n=x"),
                Record("LIBARCHIVE.xattr.user.%3D%25b", Base64("only here").TrimEnd('=')), Record("SCHILY.xattr.user.empty", ""),
                Record("SCHILY.xattr.user.twice", "1"), Record("SCHILY.xattr.user.twice", "2"))
            .Entry("f").End());
        Assert.Equal("user.a=new\0\n=x user.empty= user.twice=2 user.=%b=only here", entry.Xattrs);
    }

    [Fact]
    public void Devices_links_and_other_types_have_no_payload_whatever_their_size_says()
    {
        var tar = new RawTar();
        foreach (var type in "23456") tar.Header(Latin1("t" + type), 777, type, Latin1("target"), change: Device);
        using var run = Read(tar.End());
        Assert.Equal(
            [TarEntryType.SymbolicLink, TarEntryType.CharacterDevice, TarEntryType.BlockDevice, TarEntryType.Directory, TarEntryType.Fifo],
            run.Entries.Select(entry => entry.Type));
        Assert.All(run.Entries, entry => Assert.Equal(0, entry.Size));
        Assert.Equal((8L, 1L), (run["t3"].Major, run["t4"].Minor));

        static void Device(byte[] block)
        {
            Octal(block, 329, 8, 8);
            Octal(block, 337, 8, 1);
        }
    }

    [Fact]
    public void A_posix_hard_link_may_carry_the_file_again_and_usually_does_not()
    {
        using var with = Read(new RawTar().Entry("a", "data").Entry("b", "data", '1', link: "a").Entry("c", "end").End());
        Assert.Equal([("a", "data"), ("b", "data"), ("c", "end")], with.Entries.Select(entry => (entry.Name, entry.Content)));
        using var without = Read(new RawTar().Entry("a", "data").Header(Latin1("b"), 4, '1', Latin1("a")).Entry("c", "end").End());
        Assert.Equal([("a", "data"), ("b", ""), ("c", "end")], without.Entries.Select(entry => (entry.Name, entry.Content)));
        using var last = Read(new RawTar().Header(Latin1("b"), 4, '1', Latin1("a")).End());
        Assert.Equal("", Assert.Single(last.Entries).Content);
        using var gnu = Read(new RawTar().Header(Latin1("b"), 4, '1', Latin1("a"), Gnu).Entry("c").End());
        Assert.Equal(["b", "c"], gnu.Entries.Select(entry => entry.Name));
    }

    [Fact]
    public void An_unknown_type_keeps_its_payload_and_its_flag()
    {
        var reader = new TarReader(new ChunkedSource(new RawTar().Entry("v", "abc", 'V').Entry("w").End().ToArray(), 512));
        Assert.True(reader.MoveNext());
        Assert.Equal((TarEntryType.Unknown, (byte)'V', 3L), (reader.Current.Type, reader.Current.TypeFlag, reader.Current.PackedSize));
        Assert.True(reader.MoveNext());
        Assert.Equal("w"u8, reader.Current.Name);
    }

    [Fact]
    public void Names_may_be_empty_and_may_be_no_text()
    {
        using var run = Read(new RawTar().Entry("").Entry([0xff, 0xfe, (byte)'/', 0x80], [1, 2], '0', [], null, null).End());
        Assert.Equal(["", "\u00ff\u00fe/\u0080"], run.Entries.Select(entry => entry.Name));
    }

    [Fact]
    public void Reading_more_entries_takes_no_more_memory()
    {
        var (few, many) = (Allocated(Archive(50)), Allocated(Archive(5000)));
        Assert.Equal(few, many);

        static byte[] Archive(int entries)
        {
            var tar = new RawTar();
            for (var i = 0; i < entries; i++)
                tar.Pax('x', Record("path", "a/long/name"), Record("SCHILY.xattr.user.a", "1"), Record("mtime", "1.5")).Entry("file", "content");
            return tar.End().ToArray();
        }

        // The least of several readings: a collection may have emptied the pools in the midst of one.
        static long Allocated(byte[] archive) => Enumerable.Range(0, 10).Min(_ =>
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            Read(archive);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        });

        static void Read(byte[] archive)
        {
            var reader = new TarReader(new StreamBlockSource(new MemoryStream(archive), 64 << 10));
            while (reader.MoveNext()) reader.SkipPayload();
        }
    }

    private static string Base64(string text) => Convert.ToBase64String(Latin1(text));

    private static SeenEntry Only(RawTar tar)
    {
        using var run = Read(tar);
        return Assert.Single(run.Entries);
    }

    /// <summary>Reads in blocks of many sizes; all must tell the same and reproduce the archive.</summary>
    private static ArchiveRun Read(RawTar tar)
    {
        var bytes = tar.ToArray();
        var whole = new ArchiveRun(bytes);
        foreach (var blockSize in (int[])[1, 7, 100, 511, 512, 513, 1024, 4096])
        {
            using var run = new ArchiveRun(bytes, blockSize);
            Assert.Equal(whole.Entries, run.Entries);
            Assert.Equal(whole.Record, run.Record);
        }

        Assert.Equal(bytes, whole.Assemble());
        Assert.Equal(bytes.Length, whole.Length);
        return whole;
    }
}
