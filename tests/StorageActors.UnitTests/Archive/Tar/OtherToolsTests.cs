using StorageActors.Archive.Tar;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.UnitTests.Archive.Tar;

/// <summary>Archives as GNU tar and bsdtar make them: read right, and put together again byte for byte.</summary>
public sealed class OtherToolsTests
{
    private const string Plain = """
        mkdir -p tree/dir/sub && printf hello > tree/dir/file && : > tree/empty && head -c 70000 /dev/zero | tr '\0' z > tree/big
        ln tree/dir/file tree/zlink && ln -s ../dir/file tree/symlink && ln -s /nowhere tree/dir/absolute
        chmod 4755 tree/dir/file && chmod 1777 tree/dir && find tree -exec touch -h -d '2020-01-02 03:04:05' {} +
        """;

    private const string Awkward = """
        mkdir tree && d=$(printf '%0100d' 1) && mkdir -p tree/$d/$d/$d && printf long > tree/$d/$d/$d/file
        printf bytes > tree/$'\xff\xfe name' && printf line > tree/$'new\nline' && printf utf8 > tree/$'\xc3\xa9'
        ln -s $d/$d/$d/$d tree/longlink && ln tree/$d/$d/$d/file tree/zz-hard && mkfifo tree/fifo
        setfattr -n user.text -v value tree/$'\xc3\xa9' && setfattr -n user.binary -v 0x000a3dff tree/$'\xc3\xa9'
        chown 3000000:3000001 tree/fifo && mknod tree/null c 1 3 && mknod tree/disk b 259 70000
        find tree -exec touch -h -d '2020-01-02 03:04:05.123456789' {} +
        """;

    [SkippableTheory]
    [InlineData("tar", "--format=v7")]
    [InlineData("tar", "--format=oldgnu")]
    [InlineData("tar", "--format=gnu")]
    [InlineData("tar", "--format=ustar")]
    [InlineData("tar", "--format=posix")]
    [InlineData("tar", "--format=posix --xattrs --pax-option=globexthdr.name=g,comment=all")]
    [InlineData("bsdtar", "--format=ustar")]
    [InlineData("bsdtar", "--format=pax")]
    [InlineData("bsdtar", "--format=gnutar")]
    [InlineData("bsdtar", "--format=v7")]
    public void Plain_trees_in_every_format(string tool, string options)
    {
        Tools.Require(tool);
        using var shop = new Workshop();
        shop.Run(Plain);
        using var run = Archive(shop, tool, options);
        var names = run.Entries.Select(entry => entry.Name.TrimEnd('/')).Order(StringComparer.Ordinal);
        Assert.Equal(
            ["tree", "tree/big", "tree/dir", "tree/dir/absolute", "tree/dir/file", "tree/dir/sub", "tree/empty", "tree/symlink", "tree/zlink"], names);
        Assert.All(run.Entries, entry => Assert.Equal(new TarTime(1_577_934_245), entry.Mtime));
        var links = run.Entries.Where(entry => entry.Name is "tree/dir/file" or "tree/zlink").ToArray();
        Assert.Equal(["hello", ""], links.Select(entry => entry.Content).OrderDescending(StringComparer.Ordinal));
        Assert.Equal((TarEntryType.HardLink, links[0].Name), (links[1].Type, links[1].Link));
        Assert.Equal("4755", Convert.ToString(links[0].Mode, 8));
        Assert.Equal((TarEntryType.Directory, "1777"), (Dir("tree/dir").Type, Convert.ToString(Dir("tree/dir").Mode, 8)));
        Assert.Equal((TarEntryType.SymbolicLink, "../dir/file"), (run["tree/symlink"].Type, run["tree/symlink"].Link));
        Assert.Equal((TarEntryType.RegularFile, 70_000L, new string('z', 70_000)), (run["tree/big"].Type, run["tree/big"].Size, run["tree/big"].Content));

        SeenEntry Dir(string name) => run.Entries.Single(entry => entry.Name.TrimEnd('/') == name);
    }

    [SkippableTheory]
    [InlineData("tar", "--format=gnu", false, false)]
    [InlineData("tar", "--format=posix --xattrs", true, true)]
    [InlineData("bsdtar", "--format=pax", true, true)]
    [InlineData("bsdtar", "--format=gnutar", false, false)]
    public void Long_names_names_that_are_no_text_devices_and_attributes(string tool, string options, bool nanoseconds, bool xattrs)
    {
        RequiredTiers.SkipUnlessRoot();
        Tools.Require(tool);
        Tools.Require("setfattr");
        using var shop = new Workshop();
        shop.Run(Awkward);
        using var run = Archive(shop, tool, options);
        var deep = new string('0', 99) + "1";
        var file = run.Entries.Where(entry => entry.Name == $"tree/{deep}/{deep}/{deep}/file" || entry.Name == "tree/zz-hard").ToArray();
        Assert.Equal((TarEntryType.HardLink, file[0].Name, "long"), (file[1].Type, file[1].Link, file[0].Content));
        Assert.Equal($"{deep}/{deep}/{deep}/{deep}", run["tree/longlink"].Link);
        Assert.Equal(("bytes", "line"), (run["tree/\u00ff\u00fe name"].Content, run["tree/new\nline"].Content));
        Assert.Equal((TarEntryType.CharacterDevice, 1L, 3L), (run["tree/null"].Type, run["tree/null"].Major, run["tree/null"].Minor));
        Assert.Equal((TarEntryType.BlockDevice, 259L, 70_000L), (run["tree/disk"].Type, run["tree/disk"].Major, run["tree/disk"].Minor));
        Assert.Equal((TarEntryType.Fifo, 3_000_000L, 3_000_001L), (run["tree/fifo"].Type, run["tree/fifo"].Uid, run["tree/fifo"].Gid));
        Assert.Equal(new TarTime(1_577_934_245, nanoseconds ? 123_456_789 : 0), run["tree/fifo"].Mtime);
        var attributes = run["tree/\u00c3\u00a9"].Xattrs.Split(" user.").Select(text => text.Replace("user.", "", StringComparison.Ordinal));
        if (xattrs) Assert.Equal(["binary=\0\n=\u00ff", "text=value"], attributes.Order(StringComparer.Ordinal));
    }

    [SkippableTheory]
    [InlineData("tar", "-S --format=oldgnu")]
    [InlineData("tar", "-S --format=gnu")]
    [InlineData("tar", "-S --format=posix --sparse-version=0.0")]
    [InlineData("tar", "-S --format=posix --sparse-version=0.1")]
    [InlineData("tar", "-S --format=posix --sparse-version=1.0")]
    [InlineData("bsdtar", "--format=pax")]
    public void Files_with_holes(string tool, string options)
    {
        Tools.Require(tool);
        using var shop = new Workshop();
        // 60 runs of data: more than fit in a header and in one extension block. One file ends in a hole, one is nothing else.
        shop.Run("""
            mkdir tree && for i in $(seq 0 59); do printf "data $i" | dd of=tree/many bs=64K seek=$i conv=notrunc status=none; done
            printf begin > tree/tail && truncate -s 300000 tree/tail && truncate -s 200000 tree/hole && printf plain > tree/plain
            sync tree/many tree/tail
            """);
        using var run = Archive(shop, tool, options);
        foreach (var name in (string[])["many", "tail", "hole", "plain"])
        {
            var expected = System.IO.File.ReadAllBytes(shop.File("tree/" + name));
            Assert.Equal(expected.Length, run["tree/" + name].Size);
            Assert.True(RawTar.Latin1(run["tree/" + name].Content).AsSpan().SequenceEqual(expected), name);
        }

        Assert.NotEqual("", run["tree/many"].Extents);
        Assert.True(run.Archive.Length < 1_000_000, "the tool wrote the holes out");
    }

    private static ArchiveRun Archive(Workshop shop, string tool, string options)
    {
        shop.Run($"{tool} {options} -cf out.tar tree");
        var archive = System.IO.File.ReadAllBytes(shop.File("out.tar"));
        var run = new ArchiveRun(archive);
        Assert.True(archive.AsSpan().SequenceEqual(run.Assemble()));
        return run;
    }
}
