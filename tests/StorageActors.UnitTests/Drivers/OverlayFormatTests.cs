using StorageActors.Drivers.Mounting;
using StorageActors.Drivers.Overlay;
using StorageActors.Protocol;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.UnitTests.Drivers;

public sealed class OverlayFormatTests
{
    [Fact]
    public void Link_names_are_26_letters_of_base_32_and_differ()
    {
        var names = Enumerable.Range(0, 200).Select(_ => LinkName.New()).ToHashSet();
        Assert.Equal(200, names.Count);
        Assert.All(names, name => Assert.Matches("^[A-Z2-7]{26}$", name));
        Assert.All(names, name => Assert.True(LinkName.IsValid(name)));
        Assert.All((string[])["", new string('A', 25), new string('A', 27), new string('1', 26), new string('a', 26), "../" + new string('A', 23)],
            name => Assert.False(LinkName.IsValid(name)));
    }

    [Fact]
    public void Lower_files_are_those_of_the_peers()
    {
        using var directory = new TempDirectory();
        var layer = new LayerDirectory(LayerId.Parse("top"), directory.Path);
        LowerFile.Write(layer, ["l/BBBBBBBBBBBBBBBBBBBBBBBBBB", "l/AAAAAAAAAAAAAAAAAAAAAAAAAA"], [LayerId.Parse("bb"), LayerId.Parse("aa")]);
        Assert.Equal("l/BBBBBBBBBBBBBBBBBBBBBBBBBB:l/AAAAAAAAAAAAAAAAAAAAAAAAAA", File.ReadAllText(directory["lower"]));
        Assert.Equal("bb:aa", File.ReadAllText(directory["lower-layers"]));
        Assert.Equal(["l/BBBBBBBBBBBBBBBBBBBBBBBBBB", "l/AAAAAAAAAAAAAAAAAAAAAAAAAA"], LowerFile.ReadLinks(layer));

        LowerFile.Write(layer, [], []);
        Assert.Empty(Directory.GetFileSystemEntries(directory.Path));
        Assert.Empty(LowerFile.ReadLinks(layer));
    }

    [Fact]
    public void Links_are_made_repaired_and_removed_by_what_the_layers_say()
    {
        using var directory = new TempDirectory();
        var links = new OverlayLinks(directory["overlay"]);
        LayerDirectory Layer(string id)
        {
            Directory.CreateDirectory(directory["overlay/" + id]);
            return new LayerDirectory(LayerId.Parse(id), directory["overlay/" + id]);
        }

        var (first, second) = (Layer("first"), Layer("second"));
        var name = links.Publish(first);
        Assert.Equal(name, links.Publish(first));
        Assert.Equal("../first/diff", new FileInfo(directory["overlay/" + name]).LinkTarget);
        Assert.Equal(name, "l/" + File.ReadAllText(directory["overlay/first/link"]));

        // The second layer lost its link and its file, somebody else's points to nothing, and the first one's leads astray.
        File.CreateSymbolicLink(directory["overlay/l/" + new string('Z', 26)], "../gone/diff");
        File.Delete(directory["overlay/" + name]);
        File.CreateSymbolicLink(directory["overlay/" + name], "../second/diff");
        var done = links.Recover([first.Id, second.Id, LayerId.Parse("missing")]);
        Assert.Equal(4, done.Count);
        Assert.Equal("../first/diff", new FileInfo(directory["overlay/" + name]).LinkTarget);
        Assert.Equal(
            ["../first/diff", "../second/diff"], Directory.GetFiles(directory["overlay/l"]).Select(link => new FileInfo(link).LinkTarget).Order());
        Assert.Empty(links.Recover([first.Id, second.Id]));

        // After an engine that came to its end, as many links as layers are taken for theirs.
        Assert.Empty(links.RecoverStopped([first.Id, second.Id]));
        File.CreateSymbolicLink(directory["overlay/l/" + new string('Y', 26)], "../gone/diff");
        Assert.Single(links.RecoverStopped([first.Id, second.Id]));
        File.Delete(directory["overlay/" + name]);
        Assert.Single(links.RecoverStopped([first.Id, second.Id]));
        Assert.Equal("../first/diff", new FileInfo(directory["overlay/" + name]).LinkTarget);

        links.Remove(first);
        links.Remove(first);
        Assert.Single(Directory.GetFiles(directory["overlay/l"]));
    }

    [Fact]
    public void Option_string_escapes_what_the_kernel_would_split_at()
    {
        var stack = new OverlayStack(["/a:b,c\\d", "/e"], "/up,\\:", "/work", MountWords.None with { Volatile = true, Context = "a:b,c" });
        Assert.Equal(
            ["lowerdir=/a\\:b\\,c\\\\d:/e", "upperdir=/up\\,\\\\:", "workdir=/work", "volatile", "index=off", "context=\"a:b,c\""],
            OptionPlan.Options(stack, path => path, [new("index", "off")]));
    }
}
