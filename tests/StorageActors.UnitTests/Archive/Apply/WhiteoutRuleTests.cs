using StorageActors.Archive.Apply;
using StorageActors.Linux;
using StorageActors.Protocol;
using Xunit;

namespace StorageActors.UnitTests.Archive.Apply;

/// <summary>What whiteouts and opaque marks mean, the same for every way in which a stack is made.</summary>
public sealed class WhiteoutRuleTests
{
    public static TheoryData<Way> Ways => [Way.Overlay, Way.Rebased, Way.InPlace];

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public void A_whiteout_hides_a_file_and_a_whole_directory(Way way)
    {
        using var lab = new LayerLab(way);
        lab.Add(new LayerTar().File("a").Dir("d").File("d/x").Dir("d/e").File("d/e/y").File("stays"))
            .Add(new LayerTar().Whiteout("a").Whiteout("d"));
        Assert.Equal(["stays"], lab.Names());
    }

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public void A_directory_made_again_after_its_whiteout_shows_no_old_children(Way way)
    {
        using var lab = new LayerLab(way);
        lab.Add(new LayerTar().Dir("d").File("d/old").Dir("d/deep").File("d/deep/old"))
            .Add(new LayerTar().Whiteout("d").Dir("d").File("d/new").Dir("d/deep").File("d/deep/new"));
        Assert.Equal(["d", "d/deep", "d/deep/new", "d/new"], lab.Names());
    }

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public void A_directory_made_again_only_by_implication_shows_no_old_children_and_no_old_attributes(Way way)
    {
        using var lab = new LayerLab(way);
        lab.Add(new LayerTar().Dir("first", 0x1c0, 5, 6).File("first/old").Dir("last", 0x1c0, 5, 6, 1, ("user.a", "b")).File("last/old"))
            .Add(new LayerTar().Whiteout("first").File("first/new", time: 1_600_000_000).File("last/new", time: 1_600_000_000).Whiteout("last"));
        Assert.Equal(["first", "first/new", "last", "last/new"], lab.Names());
        var tree = lab.See();
        Assert.Equal("./first dir 0755 0:0 mtime=1600000000.000000000", tree.LineOf("first"));
        Assert.Equal("./last dir 0755 0:0 mtime=1600000000.000000000", tree.LineOf("last"));
    }

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public void A_whiteout_never_hides_what_its_own_layer_has_wherever_it_stands(Way way)
    {
        using var lab = new LayerLab(way);
        lab.Add(new LayerTar().File("file", "old").Dir("explicit").File("explicit/old").File("implied/old").File("implied/deep/old"))
            .Add(new LayerTar()
                .File("file", "new").Whiteout("file")
                .Dir("explicit").File("explicit/new").Whiteout("explicit")
                .File("implied/deep/new").Whiteout("implied"));
        Assert.Equal(["explicit", "explicit/new", "file", "implied", "implied/deep", "implied/deep/new"], lab.Names());
        Assert.Equal("new", lab.Read("file"));
    }

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public void An_opaque_mark_hides_all_children_below_wherever_it_stands(Way way)
    {
        using var lab = new LayerLab(way);
        lab.Add(new LayerTar().File("first/old").File("last/old").File("last/deep/old").File("implied/deep/old"))
            .Add(new LayerTar()
                .Dir("first").Opaque("first").File("first/new")
                .Dir("last").File("last/new").File("last/deep/new").Opaque("last")
                .File("implied/deep/new").Opaque("implied"));
        Assert.Equal(
            ["first", "first/new", "implied", "implied/deep", "implied/deep/new", "last", "last/deep", "last/deep/new", "last/new"], lab.Names());
    }

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public void An_opaque_mark_alone_empties_a_directory_and_leaves_its_attributes(Way way)
    {
        using var lab = new LayerLab(way);
        lab.Add(new LayerTar().Dir("d", 0x1f8, 7, 8, 1_500_000_000).File("d/old")).Add(new LayerTar().Opaque("d"));
        Assert.Equal(["./d dir 0770 7:8 mtime=1500000000.000000000"], lab.See().Lines.Skip(1));
    }

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public void An_opaque_root_hides_everything_below(Way way)
    {
        using var lab = new LayerLab(way);
        lab.Add(new LayerTar().File("old").File("both/old").File("gone/old")).Add(new LayerTar().File("new").File("both/new").Opaque(""));
        Assert.Equal(["both", "both/new", "new"], lab.Names());
    }

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public void Whiteouts_below_an_opaque_or_hidden_directory_are_redundant(Way way)
    {
        using var lab = new LayerLab(way);
        lab.Add(new LayerTar().File("o/a").File("o/b").File("h/a").File("h/deep/a"))
            .Add(new LayerTar().Whiteout("o/a").Opaque("o").Whiteout("o/b").Whiteout("h/deep/a").Whiteout("h").Whiteout("h/a"));
        Assert.Equal(["o"], lab.Names());
    }

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public void Whiteouts_of_names_that_are_not_below_leave_no_trace(Way way)
    {
        using var lab = new LayerLab(way);
        lab.Add(new LayerTar().File("d/a").File("file").Whiteout("d/ghost").Whiteout("none/ghost"))
            .Add(new LayerTar().Whiteout("d/ghost").Whiteout("none/deep/ghost").Whiteout("file/ghost").File("own/x").Whiteout("own/ghost"))
            .Add(new LayerTar().Whiteout("d/a"))
            .Add(new LayerTar().Whiteout("d/a"));
        Assert.Equal(["d", "file", "own", "own/x"], lab.Names());
        if (way == Way.InPlace) return;
        // A whiteout in a directory that nothing is merged with would be listed by the kernel as a name that cannot be looked up.
        string[] onDisk = [.. Directory.EnumerateFileSystemEntries(lab.DiffOf(1), "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(lab.DiffOf(1), path)).Order(StringComparer.Ordinal)];
        Assert.Equal(["own", "own/x"], onDisk);
        Assert.Empty(Directory.EnumerateFileSystemEntries(lab.DiffOf(3)));
    }

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public void A_whiteout_in_a_directory_without_an_entry_leaves_the_directory_as_it_was(Way way)
    {
        using var lab = new LayerLab(way);
        lab.Add(new LayerTar().Dir("tmp", 0x3ff, 3, 4, 1_400_000_000, ("user.k", "v")).File("tmp/a").File("tmp/b"));
        var before = lab.See().LineOf("tmp");
        lab.Add(new LayerTar().Whiteout("tmp/a"));
        Assert.Equal(["tmp", "tmp/b"], lab.Names());
        Assert.Equal(before, lab.See().LineOf("tmp"));
    }

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public void A_file_that_was_hidden_and_made_again_is_the_new_one(Way way)
    {
        using var lab = new LayerLab(way);
        lab.Add(new LayerTar().File("f", "old").File("d/x")).Add(new LayerTar().Whiteout("f").File("f", "new").Whiteout("d").File("d", "now a file"));
        Assert.Equal("new", lab.Read("f"));
        Assert.Equal("now a file", lab.Read("d"));
        lab.Add(new LayerTar().Dir("d").File("d/y"));
        Assert.Equal(["d", "d/y", "f"], lab.Names());
    }

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public void A_name_may_be_hidden_and_come_back_over_many_layers(Way way)
    {
        using var lab = new LayerLab(way);
        lab.Add(new LayerTar().File("d/1").File("d/keep"))
            .Add(new LayerTar().Whiteout("d/1"))
            .Add(new LayerTar().File("d/1", "again"))
            .Add(new LayerTar().Opaque("d").File("d/2"))
            .Add(new LayerTar().Whiteout("d/1").Whiteout("d/2").File("d/3"))
            .Add(new LayerTar().Whiteout("d"))
            .Add(new LayerTar().Dir("d").File("d/4"));
        Assert.Equal(["d", "d/4"], lab.Names());
    }

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public void A_whiteout_entry_of_any_type_is_a_whiteout_and_never_a_file(Way way)
    {
        using var lab = new LayerLab(way);
        lab.Add(new LayerTar().File("a").File("b").File("c"))
            .Add(new LayerTar().Dir(".wh.a").Symlink(".wh.b", "x").File(".wh.c", "with content"));
        Assert.Empty(lab.Names());
    }

    [SkippableTheory]
    [InlineData(".wh.")]
    [InlineData("d/.wh..")]
    [InlineData("d/.wh...")]
    [InlineData(".wh.d/file")]
    [InlineData("a/.wh.b/c/d")]
    public void Invalid_whiteouts_are_refused_with_their_entry_number(string name)
    {
        using var lab = new LayerLab();
        var refused = Assert.Throws<LayerApplyException>(() => lab.Add(new LayerTar().File("ok").File(name)));
        Assert.Equal(StorageErrorCode.BadInput, refused.Error.Code);
        Assert.Contains("tar entry 2", refused.Message, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public void Aufs_metadata_is_no_content_but_its_files_may_be_linked(Way way)
    {
        using var lab = new LayerLab(way);
        lab.Add(new LayerTar().Dir(".wh..wh.plnk").File(".wh..wh.plnk/7.1", "shared", 0x1a0, 3, 4).File(".wh..wh.aufs").Dir(".wh..wh.orph").File(".wh..wh.orph/x")
            .Link("one", ".wh..wh.plnk/7.1").Link("d/two", "/.wh..wh.plnk/7.1"));
        Assert.Equal(["d", "d/two", "one"], lab.Names());
        Assert.Equal("shared", lab.Read("one"));
        Assert.Contains("0640 3:4", lab.See().LineOf("one"), StringComparison.Ordinal);
        Assert.Contains("links=./d/two", lab.See().LineOf("one"), StringComparison.Ordinal);
        Assert.Equal(["diff", "tar-split.json.gz"], Directory.EnumerateFileSystemEntries(lab.DirectoryOf(0)).Select(Path.GetFileName).Order());
    }

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public void A_link_to_an_aufs_file_that_is_not_in_the_archive_is_refused(Way way)
    {
        using var lab = new LayerLab(way);
        Assert.Throws<LayerApplyException>(() => lab.Add(new LayerTar().Link("a", ".wh..wh.plnk/none")));
    }

    [SkippableFact]
    public void Both_forms_of_overlay_whiteouts_are_read()
    {
        using var lab = new LayerLab();
        lab.Add(new LayerTar().File("a").File("b").File("c")).Add(new LayerTar().Whiteout("a"));
        var diff = lab.Handle(lab.DiffOf(1));
        Libc.OpenAt(diff, "b"u8, OpenFlags.WriteOnly | OpenFlags.Create, 0x1a4).Dispose();
        Libc.SetXattrAt(diff, "b"u8, "trusted.overlay.whiteout"u8, "y"u8);
        Libc.SetXattrAt(diff, default, "trusted.overlay.opaque"u8, "x"u8);
        var view = lab.Below(2);
        Assert.Null(view.Find("a"u8));
        Assert.Null(view.Find("b"u8));
        Assert.NotNull(view.Find("c"u8));
        Assert.Equal(["c"], view.List(default).Select(System.Text.Encoding.ASCII.GetString));
    }
}
