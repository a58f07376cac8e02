using StorageActors.DriverContractTests.Harness;
using StorageActors.Drivers;
using StorageActors.Drivers.Overlay;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.DriverContractTests;

/// <summary>Overlay layers on layers of another store, which lies on another file system, in every way to mount.</summary>
public sealed class OverlayElsewhereTests
{
    [SkippableTheory]
    [InlineData("Descriptors")]
    [InlineData("Names")]
    [InlineData("OptionString")]
    public void Layers_of_another_store_are_mounted_below_ones_own_and_stay_as_they_are(string method)
    {
        RequiredTiers.SkipUnlessRoot();
        using var elsewhere = LoopFileSystem.Shared(FileSystemKind.Xfs).NewDirectory();
        using var home = LoopFileSystem.Shared(FileSystemKind.Ext4).NewDirectory();
        using var other = new DriverUnderTest(elsewhere.Path, static (root, options) => DriverFactory.Open("overlay", root, options), 500);
        other.Create("base", parent: null).Write("dir/a", "1").Write("dir/b", "1");
        other.Create("middle", parent: "base").Write("c", "1").Commit();
        IReadOnlyList<LayerLocation> parents = [other.Locate("middle"), other.Locate("base")];
        var before = TreeSnapshot.Capture(elsewhere.Path).Lines;

        using var driver = DriverFactory.Open("overlay", home.Path, new DriverOptions { OverlayMethod = Enum.Parse<OverlayMethod>(method) });
        var staged = new StagedLayer(LayerId.Parse("top"), Directory.CreateDirectory(home["staging/top"]).FullName, writable: true) { Parents = parents };
        driver.Begin(staged);
        driver.Finish(staged);
        var top = new LayerLocation(staged.Id, home["overlay/top"]);
        Directory.Move(staged.Path, top.Path);
        Assert.Equal("middle:base", File.ReadAllText(top.Path + "/lower-layers"));
        Assert.Equal($"l/{File.ReadAllText(parents[0].Path + "/link")}:l/{File.ReadAllText(parents[1].Path + "/link")}", File.ReadAllText(top.Path + "/lower"));

        var path = driver.Mount(new MountRequest(top, parents, MountMode.ReadWrite, [])).Path;
        try
        {
            Assert.Equal(["a", "b"], Directory.GetFiles(path + "/dir").Select(Path.GetFileName).Order(StringComparer.Ordinal));
            Assert.Equal("1", File.ReadAllText(path + "/c"));
            File.WriteAllText(path + "/dir/a", "2");
            File.Delete(path + "/dir/b");
        }
        finally
        {
            driver.Unmount(top, force: false);
        }

        Assert.Equal(["/dir", "/dir/a", "/dir/b"], driver.Changes(new DiffRequest(top, parents, null, [], Exact: false)).Select(static change => change.Path));
        Assert.Equal(before, TreeSnapshot.Capture(elsewhere.Path).Lines);
    }
}
