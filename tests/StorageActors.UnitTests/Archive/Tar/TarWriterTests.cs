using System.Text;
using StorageActors.Archive.Digests;
using StorageActors.Archive.Tar;
using StorageActors.Protocol;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.UnitTests.Archive.Tar;

public sealed class TarWriterTests
{
    private static readonly TarTime Time = new(1_577_934_245, 123_000_000);

    [Fact]
    public void An_archive_without_entries_is_the_empty_layer()
    {
        var bytes = Write(_ => { });
        Assert.Equal(new byte[1024], bytes);
        Assert.Equal(Digest.EmptyLayer, Digest.Of(bytes));
    }

    [Fact]
    public void A_plain_entry_is_exactly_a_ustar_header_and_its_data()
    {
        var expected = new RawTar().Entry("dir/file", "hello", change: block =>
        {
            RawTar.Octal(block, 100, 8, 0x9ed);   // 04755
            RawTar.Octal(block, 136, 12, Time.Seconds);
        }).End().ToArray();
        var bytes = Write(writer =>
        {
            writer.WriteHeader(new TarItem
            { Type = TarEntryType.RegularFile, Name = "dir/file"u8, Mode = 0x9ed, Uid = 1000, Gid = 1001, Size = 5, Mtime = Time });
            writer.WritePayload("hel"u8);
            writer.WritePayload("lo"u8);
        });
        Assert.Equal(expected, bytes);
    }

    [Fact]
    public void What_ustar_cannot_hold_comes_back_from_pax_records()
    {
        var name = string.Join('/', Enumerable.Repeat(new string('n', 200), 6));
        TarXattr[] xattrs = [Xattr("user.b", "\0\n="), Xattr("user.a", ""), Xattr("user.k=v%", "x")];
        var bytes = Write(writer => writer.WriteHeader(new TarItem
        {
            Type = TarEntryType.SymbolicLink, Name = RawTar.Latin1(name), LinkName = RawTar.Latin1(name + "/target"), Mode = 0x1ff,
            Uid = 4_294_967_294, Gid = 2_097_152, Mtime = new TarTime(-2, 500_000_000), Xattrs = xattrs,
        }), nanoseconds: true);
        using var run = new ArchiveRun(bytes);
        var entry = Assert.Single(run.Entries);
        Assert.Equal((name, name + "/target", 4_294_967_294L, 2_097_152L), (entry.Name, entry.Link, entry.Uid, entry.Gid));
        Assert.Equal(new TarTime(-2, 500_000_000), entry.Mtime);
        Assert.Equal("user.a= user.b=\0\n= user.k=v%=x", entry.Xattrs);
        Assert.Equal(bytes, run.Assemble());
    }

    [Theory]
    [InlineData(100, false)]   // as it is
    [InlineData(101, true)]    // no slash to split at
    [InlineData(99, false, true)]
    [InlineData(100, true, true)]
    public void Pax_is_used_only_for_names_that_need_it(int length, bool pax, bool directory = false)
    {
        var name = new string('n', length);
        var bytes = Write(writer => writer.WriteHeader(new TarItem
        { Type = directory ? TarEntryType.Directory : TarEntryType.Fifo, Name = RawTar.Latin1(name) }));
        Assert.Equal(pax ? 'x' : directory ? '5' : '6', (char)bytes[156]);
        using var run = new ArchiveRun(bytes);
        Assert.Equal(directory ? name + "/" : name, Assert.Single(run.Entries).Name);
    }

    [Fact]
    public void Every_split_of_a_long_name_into_prefix_and_name_reads_back()
    {
        for (var head = 1; head < 260; head++)
        {
            for (var tail = 95; tail < 106; tail++)
            {
                var name = new string('p', head) + "/" + new string('n', tail);
                foreach (var type in (TarEntryType[])[TarEntryType.Fifo, TarEntryType.Directory])
                {
                    var bytes = Write(writer => writer.WriteHeader(new TarItem { Type = type, Name = RawTar.Latin1(name) }));
                    var reader = new TarReader(new ChunkedSource(bytes, 4096));
                    Assert.True(reader.MoveNext());
                    Assert.Equal(type == TarEntryType.Fifo ? name : name + "/", Encoding.Latin1.GetString(reader.Current.Name));
                }
            }
        }
    }

    [Fact]
    public void A_file_is_read_in_full_cut_when_it_grew_and_an_error_when_it_shrank()
    {
        using var shop = new Workshop();
        var content = new byte[3_000_000];
        new Random(5).NextBytes(content);
        File.WriteAllBytes(shop.File("f"), content);
        using var file = File.OpenHandle(shop.File("f"));
        foreach (var size in (int[])[3_000_000, 2_500_000])
        {
            using var run = new ArchiveRun(Write(writer => WriteFile(writer, size)));
            Assert.True(content.AsSpan(0, size).SequenceEqual(RawTar.Latin1(Assert.Single(run.Entries).Content)));
        }

        var error = Assert.Throws<FileChangedException>(() => Write(writer => WriteFile(writer, 3_000_001)));
        Assert.Equal((3_000_001L, 3_000_000L), (error.Announced, error.Found));

        void WriteFile(TarWriter writer, long size)
        {
            writer.WriteHeader(new TarItem { Type = TarEntryType.RegularFile, Name = "f"u8, Size = size });
            writer.WritePayload(file);
        }
    }

    [Fact]
    public void Misuse_is_refused()
    {
        Assert.Throws<InvalidOperationException>(() => Write(writer =>
            writer.WriteHeader(new TarItem { Type = TarEntryType.RegularFile, Name = "f"u8, Size = 1 })));
        Assert.Throws<ArgumentException>(() => Write(writer => writer.WriteHeader(new TarItem { Type = TarEntryType.Directory, Name = "d"u8, Size = 1 })));
        Assert.Throws<ArgumentException>(() => Write(writer => writer.WritePayload("x"u8)));
    }

    [SkippableTheory]
    [InlineData("tar")]
    [InlineData("bsdtar")]
    public void Other_tools_extract_what_we_write(string tool)
    {
        Tools.Require(tool);
        using var shop = new Workshop();
        var deep = string.Join('/', Enumerable.Repeat(new string('d', 120), 4));
        File.WriteAllBytes(shop.File("out.tar"), Write(writer =>
        {
            writer.WriteHeader(new TarItem { Type = TarEntryType.Directory, Name = "a"u8, Mode = 0x1ed, Mtime = Time });
            writer.WriteHeader(new TarItem { Type = TarEntryType.RegularFile, Name = "a/f"u8, Mode = 0x1a4, Size = 5, Mtime = Time });
            writer.WritePayload("hello"u8);
            writer.WriteHeader(new TarItem { Type = TarEntryType.HardLink, Name = "a/g"u8, LinkName = "a/f"u8, Mtime = Time });
            writer.WriteHeader(new TarItem { Type = TarEntryType.SymbolicLink, Name = "a/s"u8, LinkName = RawTar.Latin1(deep), Mtime = Time });
            writer.WriteHeader(new TarItem { Type = TarEntryType.RegularFile, Name = RawTar.Latin1($"a/{deep}/x"), Mode = 0x1a4, Size = 600, Mtime = Time });
            writer.WritePayload(new byte[600]);
            writer.WriteHeader(new TarItem { Type = TarEntryType.RegularFile, Name = [(byte)'a', (byte)'/', 0xff], Mode = 0x180, Mtime = Time });
        }, nanoseconds: true));
        shop.Run($"mkdir to && {tool} -xpf out.tar -C to");
        Assert.Equal("hello 644 2 1577934245", shop.Run("printf '%s ' $(cat to/a/f) && stat -c '%a %h %Y' to/a/f").Trim());
        Assert.Equal(deep, shop.Run("readlink to/a/s").Trim());
        Assert.Equal("600", shop.Run($"stat -c %s to/a/{deep}/x").Trim());
        Assert.Equal("600", shop.Run("stat -c %a to/a/$'\\xff'").Trim());
    }

    [Fact]
    public void The_digest_covers_the_archive_and_the_same_entries_give_the_same_bytes()
    {
        using var hasher = new Sha256Hasher();
        byte[] first = Big(hasher), second = Big(null);
        Assert.Equal(first, second);
        Assert.Equal(Digest.Of(first), Digest.FromBytes(hasher.Finish()));

        static byte[] Big(Sha256Hasher? hasher) => Write(writer =>
        {
            for (var i = 0; i < 40; i++)
            {
                writer.WriteHeader(new TarItem { Type = TarEntryType.RegularFile, Name = RawTar.Latin1($"f{i}"), Size = 99_999 });
                writer.WritePayload(new byte[99_999]);
            }
        }, hasher: hasher);
    }

    private static TarXattr Xattr(string name, string value) => new(RawTar.Latin1(name), RawTar.Latin1(value));

    private static byte[] Write(Action<TarWriter> write, bool nanoseconds = false, Sha256Hasher? hasher = null)
    {
        using var output = new MemoryStream();
        var writer = new TarWriter(output, hasher, nanoseconds);
        write(writer);
        writer.Finish();
        return output.ToArray();
    }
}
