using System.IO.Compression;
using System.Security.Cryptography;
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
    /// <summary>What a tar keeps: whole seconds, and no attributes but an image's.</summary>
    private const SnapshotParts Archived = SnapshotParts.Mode | SnapshotParts.Owner | SnapshotParts.Content | SnapshotParts.Xattrs | SnapshotParts.HardLinks;

    [SkippableFact]
    public void Diff_of_a_writable_layer_applied_to_the_same_parent_gives_the_same_tree()
    {
        using var store = NewStore();
        using var driver = Open(store);
        MakeBase(driver);
        driver.CreateWritable("rw", parent: "base").Do(Changes());
        driver.CreateFrom("again", parent: "base", driver.Diff("rw"));
        Assert.Equal(driver.TreeOf("rw", Archived), driver.TreeOf("again", Archived));
        Assert.Equal(driver.Diff("rw"), driver.Diff("rw"));
        Assert.Equal(driver.Changes("rw"), driver.Changes("again"));
    }

    [SkippableFact]
    public void Diff_between_layers_that_are_not_parent_and_child_gives_the_one_from_the_other()
    {
        using var store = NewStore();
        using var driver = Open(store);
        MakeBase(driver);
        driver.Create("left", parent: "base").Do(Changes());
        driver.Create("right", parent: "base").Root(Meta.Of("711", 9, 9)).Write("etc/hosts", "right").Remove("usr").Write("new", "right");
        driver.Create("top", parent: "left").Write("top", "1").Remove("etc/hosts");
        foreach (var (id, from) in (ReadOnlySpan<(string, string)>)[("left", "right"), ("right", "left"), ("top", "base"), ("base", "top"), ("top", "right")])
        {
            driver.CreateFrom($"{id}-on-{from}", parent: from, driver.Diff(id, from));
            // A further name of a file that did not change comes as a copy: the tar does not have the file itself.
            var parts = Archived & ~SnapshotParts.HardLinks;
            Assert.Equal(driver.TreeOf(id, parts), driver.TreeOf($"{id}-on-{from}", parts));
        }

        Assert.Empty(driver.Changes("top", "top"));
        Assert.Empty(MountTable.ReadBelow(store.Path));
    }

    [SkippableFact]
    public void Other_content_of_the_same_size_is_a_change_though_its_time_was_put_back()
    {
        using var store = NewStore();
        using var driver = Open(store);
        var time = Meta.File.At(1_400_000_000, 123_456_789);
        driver.Create("base", parent: null).Write("file", "before", time).Write("other", "before", time);
        driver.CreateWritable("rw", parent: "base").Write("file", "behind", time);
        Assert.Contains("C /file", driver.Changes("rw"));
        Assert.DoesNotContain("C /other", driver.Changes("rw"));
        driver.CreateFrom("again", parent: "base", driver.Diff("rw"));
        Assert.Equal(driver.TreeOf("rw", Archived), driver.TreeOf("again", Archived));
    }

    [SkippableFact]
    public void Diff_of_a_base_layer_is_all_of_it()
    {
        using var store = NewStore();
        using var driver = Open(store);
        MakeBase(driver);
        driver.CreateFrom("copy", parent: null, driver.Diff("base"));
        Assert.Equal(driver.TreeOf("base", Archived), driver.TreeOf("copy", Archived));
    }

    [SkippableFact]
    public void Whole_difference_is_the_tree_without_any_whiteout()
    {
        using var store = NewStore();
        using var driver = Open(store);
        MakeBase(driver);
        driver.CreateWritable("rw", parent: "base").Do(Changes());
        driver.CreateFrom("copy", parent: null, driver.Diff("rw", whole: true));
        Assert.Equal(driver.TreeOf("rw", Archived), driver.TreeOf("copy", Archived));
        Assert.Equal(driver.Changes("copy"), driver.Changes("rw", whole: true));
        Assert.Equal(driver.Changes("base"), driver.Changes("base", whole: true));
        Assert.Empty(MountTable.ReadBelow(store.Path));
    }

    [SkippableFact]
    public void Changes_are_listed_by_path_with_their_kind()
    {
        using var store = NewStore();
        using var driver = Open(store);
        driver.Create("base", parent: null).Write("etc/hosts", "1").Write("etc/passwd", "1").Write("usr/lib/a", "1").Write("usr/lib/b", "1").Write("gone", "1")
            .Directory("was-dir").Write("was-dir/x", "1").Directory("replaced").Write("replaced/old", "1");
        driver.CreateWritable("rw", parent: "base").Write("etc/hosts", "2").Remove("usr/lib/a").Write("usr/share/new", "1").Remove("gone")
            .Remove("was-dir").Write("was-dir", "now a file").Remove("replaced").Write("replaced/new", "1").Write("a.b", "1").Write("a/b", "1");
        Assert.Equal(
            [
                "A /a", "A /a.b", "A /a/b", "C /etc", "C /etc/hosts", "D /gone", "C /replaced", "A /replaced/new", "D /replaced/old",
                "C /usr", "C /usr/lib", "D /usr/lib/a", "A /usr/share", "A /usr/share/new", "C /was-dir",
            ],
            driver.Changes("rw"));
        Assert.Equal(["A /etc", "A /etc/hosts"], driver.Changes("base").Where(line => line is "A /etc" or "A /etc/hosts"));
        Assert.All(driver.Changes("base"), line => Assert.StartsWith("A /", line, StringComparison.Ordinal));
    }

    [SkippableFact]
    public void Change_within_the_same_second_and_of_the_same_size_is_seen()
    {
        using var store = NewStore();
        using var driver = Open(store);
        var early = Meta.File.At(1_600_000_000, 1);
        driver.Create("base", parent: null).Write("a", "one", early).Write("b", "one", early);
        driver.CreateWritable("left", parent: "base").Write("a", "two", early.At(1_600_000_000, 2));
        driver.CreateWritable("right", parent: "base").Write("b", "two", early.At(1_600_000_000, 3));
        Assert.Equal(["C /a"], driver.Changes("left"));
        Assert.Equal(["C /a", "C /b"], driver.Changes("left", "right"));
    }

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void Exact_diff_is_the_tar_byte_for_byte(bool compressed)
    {
        using var store = NewStore();
        using var driver = Open(store);
        driver.Create("base", parent: null).Write("a", "1").Write("dir/b", "1");
        byte[] tar =
        [
            .. TarContent.Of([.. Changes(), new FileOp.Remove("dir/b"), new FileOp.Remove("nothing"), new FileOp.Opaque("etc"), new FileOp.HardLink("l", "a")]),
            .. new byte[4096], .. "whatever follows the end"u8,
        ];
        driver.CreateFrom("top", parent: "base", compressed ? Gzip(tar) : tar);
        Assert.Equal(tar, driver.Diff("top", exact: true));
        Assert.Equal(tar, driver.Diff("top", "base", exact: true));
        var result = driver["top"].Result!;
        Assert.Equal(Sha256(tar), result.DiffId.ToString());
        Assert.Equal(tar.Length, result.Size);
        Assert.Equal(compressed ? LayerCompression.Gzip : LayerCompression.None, result.Compression);
    }

    [SkippableFact]
    public void Exact_diff_of_a_damaged_layer_is_an_error()
    {
        using var store = NewStore();
        using var driver = Open(store);
        driver.Create("base", parent: null).Write("a", "unharmed").Write("b", "content");
        driver.Commit();
        driver.IsHarmed = true;
        File.WriteAllText(FindContent(driver, "base", "b"), "c0ntent");
        Assert.Equal(StorageErrorCode.Damaged, RefusedForGood(() => driver.Diff("base", exact: true)).Code);
    }

    [SkippableFact]
    public void Sealed_layer_keeps_its_tree_and_comes_back_as_the_tar_that_sealing_computed()
    {
        using var store = NewStore();
        using var driver = Open(store);
        MakeBase(driver);
        driver.CreateWritable("rw", parent: "base").Do(Changes());
        var before = driver.TreeOf("rw");
        var written = driver.Seal("rw");
        var tar = driver.Diff("rw", exact: true);
        Assert.Equal((Sha256(tar), tar.LongLength), (written.DiffId.ToString(), written.Size));
        Assert.Equal(before, driver.TreeOf("rw"));
        Assert.Empty(driver.Driver.Verify(driver.Locate("rw"), driver.Parents(driver["rw"]), full: true, CancellationToken.None));

        driver.CreateFrom("again", parent: "base", tar);
        Assert.Equal(driver.TreeOf("rw", Archived), driver.TreeOf("again", Archived));
        driver.CreateWritable("child", parent: "rw").Write("more", "1");
        Assert.Equal(["A /more"], driver.Changes("child"));
    }

    [SkippableFact]
    public void Sealing_a_mounted_layer_is_refused()
    {
        using var store = NewStore();
        using var driver = Open(store);
        SkipUnless(driver, DriverCapabilities.KernelMount);
        driver.CreateWritable("rw", parent: null);
        using var mount = driver.Mounted("rw", MountMode.ReadWrite);
        Assert.Equal(StorageErrorCode.WrongState, RefusedForGood(() => driver.Seal("rw")).Code);
    }

    [SkippableFact]
    public void Usage_counts_hard_links_once_and_no_parents()
    {
        using var store = NewStore();
        using var driver = Open(store);
        driver.Create("base", parent: null).Write("big", new byte[1 << 20]);
        driver.Create("small", parent: "base").Write("a", new byte[100_000]).HardLink("b", "a").HardLink("c", "a");
        driver.Commit();
        var (big, small) = (driver.Driver.Measure(driver.Locate("base")), driver.Driver.Measure(driver.Locate("small")));
        Assert.InRange(big.Bytes, 1 << 20, (1 << 20) + 65536);
        if (driver.Can(DriverCapabilities.NativeDiff))
        {
            Assert.InRange(small.Bytes, 100_000, 100_000 + 65536);
            Assert.InRange(small.Inodes, 1, 2);
            Assert.Equal((1 << 20, 100_000), (big.Content, small.Content));
        }
    }

    private static void MakeBase(DriverUnderTest driver) => driver.Create("base", parent: null)
        .Root(Meta.Of("755", 1, 1)).Directory("etc", Meta.Of("750", 2, 2)).Write("etc/hosts", "base").Write("etc/passwd", "base").Write("usr/bin/tool", "base", Meta.Of("4755"))
        .Write("usr/lib/a", "1").HardLink("usr/lib/b", "usr/lib/a").Symlink("bin", "usr/bin").Directory("tmp", Meta.Of("1777"))
        .Write("usr/share/doc/readme", "1").Node("dev/null", FileType.CharacterDevice, new DeviceNumber(1, 3), Meta.Of("666"));

    private static FileOp[] Changes() =>
    [
        new FileOp.Write("etc/hosts", "changed"u8.ToArray(), Meta.Of("600", 5, 5)), new FileOp.Remove("usr/lib/b"), new FileOp.Remove("usr/share"),
        new FileOp.Write("usr/share/new", [1], Meta.File), new FileOp.Remove("bin"), new FileOp.Write("bin/real", [1], Meta.Of("755")),
        new FileOp.Write("var/log/\xff\xfe", new byte[70_000], Meta.File.With("user.a", "b")), new FileOp.Symlink("etc/link", "hosts", Meta.File),
        new FileOp.Node("pipe", FileType.Fifo, default, Meta.Of("600")), new FileOp.MakeDirectory("tmp", Meta.Of("700", 8, 8)),
        new FileOp.Write("two", [1, 2], Meta.File), new FileOp.HardLink("three", "two"), new FileOp.MakeDirectory("empty", Meta.Of("711")),
        new FileOp.Write("caps", [1], Meta.Of("755").With("security.capability", Capability)),
    ];

    /// <summary>Where a file of the layer's own content lies on disk.</summary>
    private static string FindContent(DriverUnderTest driver, string id, string name) =>
        Assert.Single(Directory.GetFiles(driver.Locate(id).Path, name, SearchOption.AllDirectories));

    private static byte[] Gzip(byte[] bytes)
    {
        using var output = new MemoryStream();
        using (var gzip = new GZipStream(output, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(bytes);
        return output.ToArray();
    }

    private static string Sha256(byte[] bytes) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(bytes));
}
