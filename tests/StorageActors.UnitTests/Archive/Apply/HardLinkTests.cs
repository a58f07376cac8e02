using StorageActors.Archive.Apply;
using StorageActors.Protocol;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.UnitTests.Archive.Apply;

public sealed class HardLinkTests
{
    public static TheoryData<Way> Ways => WhiteoutRuleTests.Ways;

    [SkippableTheory]
    [InlineData("d/a")]
    [InlineData("./d/a")]
    [InlineData("/d//a")]
    [InlineData("alias/a")]
    public void A_link_shares_its_targets_inode_and_its_own_attributes_mean_nothing(string target)
    {
        using var lab = new LayerLab();
        var tar = new LayerTar().File("d/a", "x", 0x1b0, 3, 4).Symlink("alias", "d").Link("b", target, mode: 0x1ff, time: 5).ToArray();
        lab.Add(tar);
        Assert.Equal("./b file 0660 3:4 1 mtime=1700000000.000000000 links=./d/a", lab.See(SnapshotParts.All & ~SnapshotParts.Content).LineOf("b"));
        Assert.Equal(tar, lab.Reassemble(0));
    }

    [SkippableFact]
    public void A_symbolic_link_may_have_several_names()
    {
        using var lab = new LayerLab();
        lab.Add(new LayerTar().Symlink("s", "/outside/../x").Link("t", "s").Dir("real").Symlink("to-real", "real").Link("other", "to-real").File("other/x"));
        Assert.Contains("-> /outside/../x", lab.See().LineOf("t"), StringComparison.Ordinal);
        Assert.Contains("links=./s", lab.See().LineOf("t"), StringComparison.Ordinal);
        Assert.NotNull(lab.See().LineOf("real/x"));
    }

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public void A_link_to_a_file_of_a_layer_below_has_its_content_and_attributes(Way way)
    {
        using var lab = new LayerLab(way);
        lab.Add(new LayerTar().File("d/a", "content", 0x9ed, 3, 4, 1_500_000_000, 0, ("user.k", "v")).Symlink("s", "d/a"));
        var tar = new LayerTar().Link("b", "d/a").Link("c", "b").Link("e/f", "d/a").Link("t", "s").ToArray();
        lab.Add(tar);
        var tree = lab.See(SnapshotParts.All & ~SnapshotParts.HardLinks);
        foreach (var name in (string[])["b", "c", "e/f"])
            Assert.Equal(tree.LineOf("d/a")!.Replace("./d/a", "./" + name, StringComparison.Ordinal), tree.LineOf(name));
        Assert.Contains("-> d/a", tree.LineOf("t"), StringComparison.Ordinal);
        var links = lab.See(SnapshotParts.HardLinks).LineOf("b")!.Split("links=")[1].Split(',');
        Assert.Equal(way == Way.InPlace ? ["./c", "./d/a", "./e/f"] : ["./c", "./e/f"], links);
        Assert.Equal(tar, lab.Reassemble(1, lab.Last.DiffId));
    }

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public void A_link_that_stands_before_its_file_is_made_all_the_same(Way way)
    {
        using var lab = new LayerLab(way);
        lab.Add(new LayerTar().Link("b", "d/a").File("d/a", "late"));
        Assert.Equal("late", lab.Read("b"));
        Assert.Contains("links=./d/a", lab.See().LineOf("b"), StringComparison.Ordinal);
    }

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public void A_link_made_before_its_target_is_replaced_keeps_the_old_content(Way way)
    {
        using var lab = new LayerLab(way);
        lab.Add(new LayerTar().File("below", "lower"))
            .Add(new LayerTar().File("a", "1").Link("b", "a").File("a", "2").Link("keep", "below").File("below", "upper"));
        Assert.Equal(("2", "1", "lower", "upper"), (lab.Read("a"), lab.Read("b"), lab.Read("keep"), lab.Read("below")));
    }

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public void A_link_that_is_replaced_before_it_could_be_made_is_forgotten(Way way)
    {
        using var lab = new LayerLab(way);
        lab.Add(new LayerTar().File("below", "x")).Add(new LayerTar().Link("a", "below").File("a", "own").Link("d", "below").Dir("d").File("d/y"));
        Assert.Equal(["a", "below", "d", "d/y"], lab.Names());
        Assert.Equal("own", lab.Read("a"));
    }

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public void A_link_to_nothing_is_refused(Way way)
    {
        using var lab = new LayerLab(way);
        lab.Add(new LayerTar().File("a"));
        var refused = Assert.Throws<LayerApplyException>(() => lab.Add(new LayerTar().File("x").Link("b", "nowhere/a")));
        Assert.Equal(StorageErrorCode.BadInput, refused.Error.Code);
        Assert.Contains("tar entry 2 \"b\"", refused.Message, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [MemberData(nameof(Ways))]
    public void A_link_to_a_name_that_the_same_layer_hides_is_refused_wherever_the_whiteout_stands(Way way)
    {
        LayerTar[] hostile =
        [
            new LayerTar().Whiteout("d/a").Link("b", "d/a"), new LayerTar().Link("b", "d/a").Whiteout("d/a"),
            new LayerTar().Link("b", "d/a").Whiteout("d"), new LayerTar().Link("b", "d/a").Opaque("d"), new LayerTar().Link("b", "d/a").File("d"),
        ];
        foreach (var tar in hostile)
        {
            using var lab = new LayerLab(way);
            lab.Add(new LayerTar().File("d/a"));
            Assert.Throws<LayerApplyException>(() => lab.Add(tar));
        }
    }

    [SkippableTheory]
    [InlineData("../a")]
    [InlineData("d/../../a")]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("d")]
    [InlineData("d/x/.wh.a")]
    public void Targets_that_are_no_file_inside_the_layer_are_refused(string target)
    {
        foreach (var way in (Way[])[Way.Overlay, Way.Rebased, Way.InPlace])
        {
            using var lab = new LayerLab(way);
            Assert.Throws<LayerApplyException>(() => lab.Add(new LayerTar().File("a").Dir("d").Link("b", target)));
        }
    }

    [SkippableFact]
    public void A_link_that_would_replace_its_own_target_is_refused_and_one_to_itself_does_nothing()
    {
        using var lab = new LayerLab();
        Assert.Throws<LayerApplyException>(() => lab.Add(new LayerTar().File("d/a").Link("d", "d/a")));
        using var other = new LayerLab();
        other.Add(new LayerTar().File("a", "x").Link("a", "a"));
        Assert.Equal("x", other.Read("a"));
    }
}
