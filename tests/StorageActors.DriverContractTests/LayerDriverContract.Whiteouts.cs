using StorageActors.DriverContractTests.Harness;
using StorageActors.Drivers;
using StorageActors.Linux;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.DriverContractTests;

/// <summary>How the content of a layer comes about.</summary>
public enum Making
{
    /// <summary>From a tar, with the layers below known.</summary>
    Tar,

    /// <summary>From a tar that is extracted first and rebased on the layers below afterwards.</summary>
    Rebased,

    /// <summary>Written in a mount.</summary>
    Mount,
}

public abstract partial class LayerDriverContract
{
    public static TheoryData<Making> Makings => [Making.Tar, Making.Rebased, Making.Mount];

    public static TheoryData<Making> TarMakings => [Making.Tar, Making.Rebased];

    [SkippableTheory]
    [MemberData(nameof(Makings))]
    public void Whiteout_hides_files_links_and_whole_directories(Making making)
    {
        using var store = NewStore();
        using var driver = Open(store);
        driver.Create("base", parent: null).Write("a", "1").Write("dir/b", "1").Write("dir/deep/c", "1").Symlink("link", "a").Write("stays", "1");
        Add(driver, making, "top", "base").Remove("a").Remove("dir").Remove("link");
        Assert.Equal(["stays"], driver.NamesOf("top"));
        driver.Create("over", parent: "top").Write("dir/new", "1");
        Assert.Equal(["dir/", "dir/new", "stays"], driver.NamesOf("over"));
    }

    [SkippableTheory]
    [MemberData(nameof(Makings))]
    public void Directory_recreated_in_an_upper_layer_hides_the_old_children(Making making)
    {
        using var store = NewStore();
        using var driver = Open(store);
        driver.Create("base", parent: null).Write("lib/old", "1").Write("lib/deep/old", "1");
        Add(driver, making, "top", "base").Remove("lib").Write("lib/new", "2");
        Assert.Equal(["lib/", "lib/new"], driver.NamesOf("top"));
    }

    [SkippableTheory]
    [MemberData(nameof(TarMakings))]
    public void Whiteout_after_the_entries_that_replace_what_it_hides_means_the_same(Making making)
    {
        using var store = NewStore();
        using var driver = Open(store);
        driver.Create("base", parent: null).Write("lib/old", "1").Write("file", "old").Write("implied/old", "1");
        Add(driver, making, "top", "base").Directory("lib").Write("lib/new", "2").Remove("lib").Write("file", "new").Remove("file")
            .Write("implied/new", "2").Remove("implied");
        Assert.Equal(["file", "implied/", "implied/new", "lib/", "lib/new"], driver.NamesOf("top"));
        Assert.Equal("new", driver.ContentOf("top", "file"));
    }

    [SkippableTheory]
    [MemberData(nameof(TarMakings))]
    public void Opaque_directory_hides_the_children_below_wherever_the_mark_stands(Making making)
    {
        using var store = NewStore();
        using var driver = Open(store);
        driver.Create("base", parent: null).Write("first/old", "1").Write("last/old", "1").Write("last/deep/old", "1").Write("only/old", "1")
            .Directory("only", Meta.Of("700", 7, 8));
        Add(driver, making, "top", "base").Opaque("first").Write("first/new", "2").Write("last/new", "2").Write("last/deep/new", "2").Opaque("last")
            .Opaque("only");
        Assert.Equal(["first/", "first/new", "last/", "last/deep/", "last/deep/new", "last/new", "only/"], driver.NamesOf("top"));
        Assert.Contains("./only dir 0700 7:8", driver.TreeOf("top", SnapshotParts.Mode | SnapshotParts.Owner));
    }

    [SkippableTheory]
    [MemberData(nameof(TarMakings))]
    public void Opaque_root_hides_everything_below(Making making)
    {
        using var store = NewStore();
        using var driver = Open(store);
        driver.Create("base", parent: null).Write("old", "1").Write("dir/old", "1");
        Add(driver, making, "top", "base").Write("new", "2").Opaque("");
        Assert.Equal(["new"], driver.NamesOf("top"));
    }

    [SkippableTheory]
    [MemberData(nameof(TarMakings))]
    public void Whiteout_of_what_is_not_there_is_not_seen(Making making)
    {
        using var store = NewStore();
        using var driver = Open(store);
        Add(driver, making, "base", null).Remove("nothing").Remove("dir/nothing").Write("dir/a", "1");
        Add(driver, making, "top", "base").Remove("ghost").Remove("new/ghost").Write("new/b", "1").Opaque("opaque").Remove("opaque/ghost").Remove("dir/ghost");
        Add(driver, making, "over", "top").Opaque("dir").Remove("dir/a").Remove("new/c");
        foreach (var layer in (string[])["base", "top", "over"])
        {
            driver.See(layer, root =>
            {
                // A ghost is listed and cannot be looked at.
                foreach (var path in Directory.EnumerateFileSystemEntries(root, "*", SearchOption.AllDirectories)) Libc.Stat(path);
                return true;
            });
        }

        Assert.Equal(["dir/", "dir/a"], driver.NamesOf("base"));
        Assert.Equal(["dir/", "dir/a", "new/", "new/b", "opaque/"], driver.NamesOf("top"));
        Assert.Equal(["dir/", "new/", "new/b", "opaque/"], driver.NamesOf("over"));
    }

    [SkippableTheory]
    [MemberData(nameof(Makings))]
    public void Any_type_replaces_any_other(Making making)
    {
        using var store = NewStore();
        using var driver = Open(store);
        FileOp[] kinds =
        [
            new FileOp.Write("x", "file"u8.ToArray(), Meta.File), new FileOp.MakeDirectory("x", Meta.Directory), new FileOp.Symlink("x", "target", Meta.File),
            new FileOp.Node("x", FileType.Fifo, default, Meta.File), new FileOp.Node("x", FileType.CharacterDevice, new DeviceNumber(1, 3), Meta.File),
        ];
        var below = driver.Create("base", parent: null);
        for (var from = 0; from < kinds.Length; from++)
        {
            for (var to = 0; to < kinds.Length; to++)
            {
                below.Do([kinds[from] with { Path = $"{from}{to}" }]);
                if (from == 1) below.Write($"{from}{to}/child", "1");
            }
        }

        var above = Add(driver, making, "top", "base");
        var alone = driver.Create("alone", parent: null);
        for (var from = 0; from < kinds.Length; from++)
        {
            for (var to = 0; to < kinds.Length; to++)
            {
                if (from == 1 && to == 1) continue;
                above.Do([kinds[to] with { Path = $"{from}{to}" }]);
                alone.Do([kinds[to] with { Path = $"{from}{to}" }]);
            }
        }

        alone.Directory("11").Write("11/child", "1");
        Assert.Equal(driver.TreeOf("alone", Comparable), driver.TreeOf("top", Comparable));
    }

    [SkippableTheory]
    [MemberData(nameof(TarMakings))]
    public void Aufs_metadata_in_a_tar_is_no_content(Making making)
    {
        using var store = NewStore();
        using var driver = Open(store);
        driver.Create("base", parent: null).Write("a", "1");
        Add(driver, making, "top", "base").Directory(".wh..wh.plnk").Write(".wh..wh.plnk/123", "linked").Write(".wh..wh.aufs", "").HardLink("b", ".wh..wh.plnk/123");
        Assert.Equal(["a", "b"], driver.NamesOf("top"));
        Assert.Equal("linked", driver.ContentOf("top", "b"));
    }

    [SkippableTheory]
    [InlineData("trusted.overlay.opaque", "y")]
    [InlineData("trusted.overlay.redirect", "/secret")]
    [InlineData("trusted.overlay.metacopy", "")]
    [InlineData("user.overlay.opaque", "y")]
    public void Attributes_that_the_union_would_obey_do_nothing_when_an_image_brings_them(string xattr, string value)
    {
        using var store = NewStore();
        using var driver = Open(store);
        driver.Create("base", parent: null).Write("dir/a", "1").Write("secret/b", "1").Write("file", "old");
        driver.Create("top", parent: "base").Directory("dir", Meta.Directory.With(xattr, value)).Write("file", "new", Meta.File.With(xattr, value));
        Assert.Equal(["dir/", "dir/a", "file", "secret/", "secret/b"], driver.NamesOf("top"));
        Assert.Equal("new", driver.ContentOf("top", "file"));
    }

    /// <summary>What a tar's implied directories and a mount's made ones have in common.</summary>
    private const SnapshotParts Comparable = SnapshotParts.All & ~SnapshotParts.DirectoryTimes;

    private static LayerUnderTest Add(DriverUnderTest driver, Making making, string id, string? parent)
    {
        if (making == Making.Rebased) SkipUnless(driver, DriverCapabilities.Rebase);
        if (making == Making.Mount) return driver.CreateWritable(id, parent);
        var layer = driver.Create(id, parent);
        layer.LateParents = making == Making.Rebased;
        return layer;
    }
}
