using System.Text;
using StorageActors.DriverContractTests.Harness;
using StorageActors.Drivers;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.DriverContractTests;

public abstract partial class LayerDriverContract
{
    /// <summary>cap_net_bind_service=ep, as setcap writes it.</summary>
    private static readonly byte[] Capability = Convert.FromHexString("0100000200040000000000000000000000000000");

    [SkippableTheory]
    [MemberData(nameof(Makings))]
    public void Every_attribute_of_an_entry_arrives(Making making)
    {
        using var store = NewStore();
        using var driver = Open(store);
        Add(driver, making, "layer", null)
            .Directory("tmp", Meta.Of("1777").At(1_500_000_000, 123_456_789))
            .Directory("shared", Meta.Of("2775", 10, 20))
            .Write("setuid", "x", Meta.Of("4755", 1000, 1001).At(1_400_000_000, 999_999_999))
            .Write("setgid", "x", Meta.Of("2711", 0, 5))
            .Write("locked", "x", Meta.Of("0", 4_294_967_293, 4_294_967_292))
            .Write("caps", "x", Meta.Of("755").With("security.capability", Capability))
            .Write("xattrs", "x", Meta.File.With("user.empty", "").With("user.bytes", [0, 10, 255, 61]).With("user.mime", "text/plain"))
            .Directory("xdir", Meta.Directory.With("user.dir", "1"))
            .Node("null", FileType.CharacterDevice, new DeviceNumber(1, 3), Meta.Of("666"))
            .Node("disk", FileType.BlockDevice, new DeviceNumber(259, 70_000), Meta.Of("660", 0, 6))
            .Node("pipe", FileType.Fifo, default, Meta.Of("600", 7, 8))
            .Write("old", "x", Meta.File.At(0))
            .Symlink("absolute", "/etc/passwd")
            .Symlink("upwards", "../../outside")
            .Symlink("long", new string('l', 1000));
        var hash = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";
        Assert.Equal(
            [
                "./absolute link 0:0 -> /etc/passwd mtime=1600000000.000000000",
                $"./caps file 0755 0:0 1 mtime=1600000000.000000000 sha256={hash} security.capability=\"{PathText.Escape(Capability)}\"",
                "./disk block 0660 0:6 259,70000 mtime=1600000000.000000000",
                $"./locked file 0000 4294967293:4294967292 1 mtime=1600000000.000000000 sha256={hash}",
                $"./long link 0:0 -> {new string('l', 1000)} mtime=1600000000.000000000",
                "./null char 0666 0:0 1,3 mtime=1600000000.000000000",
                $"./old file 0644 0:0 1 mtime=0.000000000 sha256={hash}",
                "./pipe fifo 0600 7:8 mtime=1600000000.000000000",
                $"./setgid file 2711 0:5 1 mtime=1600000000.000000000 sha256={hash}",
                $"./setuid file 4755 1000:1001 1 mtime=1400000000.999999999 sha256={hash}",
                "./shared dir 2775 10:20 mtime=1600000000.000000000",
                "./tmp dir 1777 0:0 mtime=1500000000.123456789",
                "./upwards link 0:0 -> ../../outside mtime=1600000000.000000000",
                "./xattrs file 0644 0:0 1 mtime=1600000000.000000000 sha256=" + hash + " user.bytes=\"\\x00\\x0a\\xff=\" user.empty=\"\" user.mime=\"text/plain\"",
                "./xdir dir 0755 0:0 mtime=1600000000.000000000 user.dir=\"1\"",
            ],
            driver.TreeOf("layer").Skip(1));
    }

    [SkippableTheory]
    [MemberData(nameof(Makings))]
    public void Names_are_bytes(Making making)
    {
        using var store = NewStore();
        using var driver = Open(store);
        string[] names = ["new\nline", "back\\slash", "col:on", "com,ma", "\xff\xfe", "\xc3\xa9t\xe9", ".hidden", "...", "#", "~", "quo\"te's", new string('n', MaximumNameLength)];
        var below = Add(driver, making, "base", null);
        foreach (var name in names) below.Write(name, "1").Write("dir-" + name[..Math.Min(name.Length, 200)] + "/" + name, "1");
        var all = names.Concat(names.Select(name => "dir-" + name[..Math.Min(name.Length, 200)] + "/" + name))
            .Select(name => PathText.Escape(Encoding.Latin1.GetBytes(name))).Order(StringComparer.Ordinal);
        Assert.Equal(all, driver.FilesOf("base").Order(StringComparer.Ordinal));

        var above = Add(driver, making, "top", "base");
        foreach (var name in names) above.Remove(name.Length > 240 ? "dir-" + name[..200] : name);
        Assert.Equal(names.Length, driver.FilesOf("top").Count);
    }

    [SkippableTheory]
    [MemberData(nameof(TarMakings))]
    public void Directories_on_the_way_have_the_attributes_of_the_layer_below(Making making)
    {
        using var store = NewStore();
        using var driver = Open(store);
        driver.Create("base", parent: null).Directory("tmp", Meta.Of("1777", 3, 4).At(1_234_567_890, 5).With("user.kept", "yes")).Directory("tmp/deep", Meta.Of("700", 9, 9));
        Add(driver, making, "top", "base").Write("tmp/deep/file", "1").Write("nowhere/below/file", "1").Write("late/file", "1").Directory("late", Meta.Of("711", 1, 2));
        var tree = driver.TreeOf("top");
        Assert.Contains("./tmp dir 1777 3:4 mtime=1234567890.000000005 user.kept=\"yes\"", tree);
        Assert.Contains("./tmp/deep dir 0700 9:9 mtime=1600000000.000000000", tree);
        Assert.Contains("./late dir 0711 1:2 mtime=1600000000.000000000", tree);
        Assert.Contains(tree, line => line.StartsWith("./nowhere/below dir 0755 0:0 ", StringComparison.Ordinal));
    }

    [SkippableTheory]
    [MemberData(nameof(TarMakings))]
    public void Root_has_the_attributes_of_its_own_entry_else_of_the_layer_below(Making making)
    {
        using var store = NewStore();
        using var driver = Open(store);
        Add(driver, making, "none", null).Write("a", "1");
        Assert.StartsWith(". dir 0755 0:0 ", driver.TreeOf("none")[0], StringComparison.Ordinal);

        Add(driver, making, "base", null).Write("a", "1").Root(Meta.Of("1750", 11, 12).At(1_111_111_111, 7).With("user.root", "base"));
        Add(driver, making, "inherits", "base").Write("b", "1");
        Add(driver, making, "own", "inherits").Root(Meta.Of("711", 1, 2)).Write("c", "1");
        driver.CreateWritable("rw", parent: "base");
        var expected = ". dir 1750 11:12 mtime=1111111111.000000007 user.root=\"base\"";
        Assert.Equal(expected, driver.TreeOf("base")[0]);
        Assert.Equal(expected, driver.TreeOf("inherits")[0]);
        Assert.Equal(expected, driver.TreeOf("rw")[0]);
        Assert.Equal(". dir 0711 1:2 mtime=1600000000.000000000", driver.TreeOf("own")[0]);
    }

    [SkippableTheory]
    [MemberData(nameof(Makings))]
    public void Hard_links_are_one_file(Making making)
    {
        using var store = NewStore();
        using var driver = Open(store);
        Add(driver, making, "layer", null).Write("a", "1").HardLink("dir/b", "a").HardLink("c", "dir/b").Symlink("s", "a").HardLink("t", "s").Write("other", "1");
        var tree = driver.TreeOf("layer", SnapshotParts.HardLinks);
        Assert.Equal(
            [
                "./a file 1 links=./c,./dir/b", "./c file 1 links=./a,./dir/b", "./dir dir", "./dir/b file 1 links=./a,./c", "./other file 1",
                "./s link -> a links=./t", "./t link -> a links=./s",
            ],
            tree.Skip(1));
    }

    [SkippableTheory]
    [MemberData(nameof(Makings))]
    public void Hard_link_to_a_file_of_a_layer_below_has_its_content_and_attributes(Making making)
    {
        using var store = NewStore();
        using var driver = Open(store);
        var meta = Meta.Of("640", 5, 6).At(1_222_222_222, 3).With("user.a", "b");
        driver.Create("base", parent: null).Write("dir/a", "content", meta);
        driver.Create("middle", parent: "base").Write("unrelated", "1");
        Add(driver, making, "top", "middle").HardLink("b", "dir/a");
        Assert.Equal(["b", "dir/a", "unrelated"], driver.FilesOf("top"));
        var tree = driver.TreeOf("top", Comparable & ~SnapshotParts.HardLinks);
        var line = Assert.Single(tree, line => line.StartsWith("./b ", StringComparison.Ordinal));
        Assert.Contains("file 0640 5:6 7 mtime=1222222222.000000003 ", line, StringComparison.Ordinal);
        Assert.EndsWith(" user.a=\"b\"", line, StringComparison.Ordinal);
        Assert.Equal("content", driver.ContentOf("top", "b"));
    }

    [SkippableTheory]
    [MemberData(nameof(TarMakings))]
    public void Later_entry_of_the_same_name_wins_and_does_not_write_through_links(Making making)
    {
        using var store = NewStore();
        using var driver = Open(store);
        Add(driver, making, "layer", null).Write("a", "first").HardLink("b", "a").Write("a", "second", Meta.Of("600"))
            .Directory("d", Meta.Of("700").With("user.gone", "1")).Write("d/child", "1").Directory("d", Meta.Of("755"))
            .Symlink("s", "a").Write("s", "file now");
        Assert.Equal(["a", "b", "d/child", "s"], driver.FilesOf("layer"));
        Assert.Equal("second", driver.ContentOf("layer", "a"));
        Assert.Equal("first", driver.ContentOf("layer", "b"));
        Assert.Equal("file now", driver.ContentOf("layer", "s"));
        Assert.Contains("./d dir 0755 0:0 mtime=1600000000.000000000", driver.TreeOf("layer"));
    }

    [SkippableFact]
    public void Links_in_a_tar_lead_nowhere_outside_the_layer()
    {
        using var store = NewStore();
        using var driver = Open(store);
        var outside = store["outside"];
        Directory.CreateDirectory(outside);
        driver.Create("layer", parent: null).Symlink("out", outside).Write("out/a", "1").Symlink("up", "../../../../../../..").Write("up/b", "1");
        driver.Commit();
        Assert.Empty(Directory.GetFileSystemEntries(outside));
        Assert.False(File.Exists("/b"));
    }

    [SkippableTheory]
    [InlineData("../evil")]
    [InlineData("a/../../evil")]
    [InlineData(".wh..")]
    [InlineData(".wh...")]
    [InlineData("dir/.wh.")]
    public void Hostile_name_is_refused_and_nothing_is_left_outside_the_staged_directory(string name)
    {
        using var store = NewStore();
        using var driver = Open(store);
        var before = HomeOf(driver);
        var layer = driver.Create("layer", parent: null).Write("good", "1").Write(name, "1");
        var error = RefusedForGood(() => layer.Commit());
        Assert.Equal(StorageErrorCode.BadInput, error.Code);
        Assert.Equal(before, HomeOf(driver));
        Assert.False(File.Exists(store["evil"]));
    }

    [SkippableFact]
    public void Wrong_input_is_refused_by_kind()
    {
        using var store = NewStore();
        using var driver = Open(store);
        var tar = TarContent.Of([new FileOp.Write("a", new byte[5000], Meta.File), new FileOp.Write("b", new byte[10], Meta.File)]);
        StorageErrorCode Code(byte[] bytes, Archive.Apply.ExtractOptions options) => RefusedForGood(() =>
            driver.CreateFrom("layer", parent: null, bytes).Commit(options)).Code;

        Assert.Equal(StorageErrorCode.BadInput, Code(tar[..3000], new()));
        Assert.Equal(StorageErrorCode.BadInput, Code([.. "no tar at all, but long enough to be read as one"u8, .. new byte[2000]], new()));
        Assert.Equal(StorageErrorCode.BadInput, Code([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3], new()));
        var wrong = Digest.Parse("sha256:" + new string('a', 64));
        Assert.Equal(StorageErrorCode.DigestMismatch, Code(tar, new() { ExpectedDiffId = wrong }));
        Assert.Equal(StorageErrorCode.DigestMismatch, Code(tar, new() { ExpectedBlobDigest = wrong }));
        Assert.Equal(StorageErrorCode.LimitExceeded, Code(tar, new() { MaximumSize = 4000 }));
        Assert.Equal(StorageErrorCode.LimitExceeded, Code(tar, new() { MaximumEntries = 1 }));
    }

    [SkippableFact]
    public void Cancelled_extraction_ends_as_cancelled()
    {
        using var store = NewStore();
        using var driver = Open(store);
        var staged = driver.Stage(driver.Create("layer", parent: null));
        driver.Driver.Begin(staged);
        using var blob = new MemoryStream(TarContent.Of([new FileOp.Write("a", [1], Meta.File)]));
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        var error = RefusedForGood(() => driver.Driver.Extract(staged, blob, new(), observer: null, stop.Token));
        Assert.Equal(StorageErrorCode.Cancelled, error.Code);
    }
}
