using StorageActors.DriverContractTests.Harness;
using StorageActors.Drivers;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.DriverContractTests;

/// <summary>
/// What every driver must do, on every file system that it supports. A driver states what it can (<see cref="DriverCapabilities"/>); no test
/// asks for its name.
/// </summary>
public abstract partial class LayerDriverContract
{
    /// <summary>The file system to test on.</summary>
    protected abstract FileSystemKind FileSystem { get; }

    /// <summary>How many layers one mount must take.</summary>
    protected virtual int MaximumLayers => 500;

    /// <summary>Bytes of the longest name that a layer can show.</summary>
    protected virtual int MaximumNameLength => 255;

    /// <summary>Makes a mount that the driver described, as another program does.</summary>
    private protected virtual void MountDescribed(MountStep step, string target) =>
        Command.Run("mount", "-t", step.Type is "bind" ? "none" : step.Type, step.Source, target, "-o", string.Join(',', step.Options));

    /// <summary>Takes it away.</summary>
    private protected virtual void UnmountDescribed(string target) => TempDirectory.Unmount(target);

    /// <summary>Opens the driver on a store's root.</summary>
    private protected abstract ILayerDriver OpenDriver(string root, DriverOptions options);

    /// <summary>A new, empty store: <c>using var store = NewStore(); using var driver = Open(store);</c>.</summary>
    private protected virtual TempDirectory NewStore()
    {
        RequiredTiers.SkipUnlessRoot();
        return LoopFileSystem.Shared(FileSystem).NewDirectory();
    }

    private protected DriverUnderTest Open(TempDirectory store) => Open(store.Path);

    private protected DriverUnderTest Open(string root) => new(root, OpenDriver, MaximumLayers);

    private protected DriverUnderTest Open(TempDirectory store, DriverOptions options) => new(store.Path, OpenDriver, MaximumLayers, options);

    private static void SkipUnless(DriverUnderTest driver, DriverCapabilities capability) =>
        Skip.IfNot(driver.Can(capability), $"the driver does not state {capability}");

    private static StorageError Refused(Action action)
    {
        var error = Assert.ThrowsAny<DriverException>(action).Error;
        Assert.DoesNotContain('\n', error.Message);
        return error;
    }

    private static StorageError RefusedForGood(Action action) => Assert.Throws<PermanentDriverException>(action).Error;

    [SkippableFact]
    public void Layer_shows_the_files_of_its_tar()
    {
        using var store = NewStore();
        using var driver = Open(store);
        driver.Create("base", parent: null).Directory("etc").Write("etc/hosts", "here").Symlink("link", "etc/hosts").Write("empty", "");
        Assert.Equal(["empty", "etc/", "etc/hosts", "link"], driver.NamesOf("base"));
        Assert.Equal("here", driver.ContentOf("base", "etc/hosts"));
    }

    [SkippableFact]
    public void Layers_above_add_to_and_hide_what_is_below()
    {
        using var store = NewStore();
        using var driver = Open(store);
        driver.Create("base", parent: null).Write("a", "1").Write("b", "1");
        driver.Create("middle", parent: "base").Write("b", "2").Write("c", "2");
        driver.Create("top", parent: "middle").Write("c", "3").Remove("a");
        Assert.Equal(["b", "c"], driver.FilesOf("top"));
        Assert.Equal("2", driver.ContentOf("top", "b"));
        Assert.Equal("3", driver.ContentOf("top", "c"));
        Assert.Equal(["a", "b"], driver.FilesOf("base"));
    }

    [SkippableFact]
    public void Layer_without_content_is_its_parent_again()
    {
        using var store = NewStore();
        using var driver = Open(store);
        driver.Create("base", parent: null).Root(Meta.Of("750", 3, 4)).Write("a", "1");
        driver.Create("tar", parent: "base");
        driver.CreateWritable("fresh", parent: "base");
        Assert.Equal(driver.TreeOf("base"), driver.TreeOf("tar"));
        Assert.Equal(driver.TreeOf("base"), driver.TreeOf("fresh"));
    }

    [SkippableFact]
    public void Beginning_again_starts_over()
    {
        using var store = NewStore();
        using var driver = Open(store);
        var layer = driver.Create("base", parent: null);
        var staged = driver.Stage(layer);
        driver.Driver.Begin(staged);
        Extract(driver, staged, TarContent.Of([new FileOp.Write("old", [1], Meta.File)]));
        driver.Driver.Begin(staged);
        Extract(driver, staged, TarContent.Of([new FileOp.Write("new", [1], Meta.File)]));
        driver.Driver.Rebase(staged);
        driver.Driver.Finish(staged);
        driver.Driver.Finish(staged);
        driver.Rename(staged, layer);
        Assert.Equal(["new"], driver.NamesOf("base"));
    }

    [SkippableFact]
    public void Chain_that_is_not_committed_yet_is_rebased_on_its_own_staged_parents()
    {
        using var store = NewStore();
        using var driver = Open(store);
        SkipUnless(driver, DriverCapabilities.Rebase);
        var (below, above) = (driver.Create("base", parent: null), driver.Create("top", parent: "base"));
        var (stagedBelow, stagedAbove) = (driver.Stage(below), driver.Stage(above));
        stagedAbove.Parents = null;
        driver.Driver.Begin(stagedAbove);
        driver.Driver.Begin(stagedBelow);
        Extract(driver, stagedAbove, TarContent.Of(
            [new FileOp.Remove("gone"), new FileOp.Remove("never-there"), new FileOp.Write("etc/new", [1], Meta.File)]));
        Extract(driver, stagedBelow, TarContent.Of(
            [new FileOp.Write("gone", [1], Meta.File), new FileOp.MakeDirectory("etc", Meta.Of("700", 5, 6))]));
        driver.Driver.Rebase(stagedBelow);
        driver.Driver.Finish(stagedBelow);
        stagedAbove.Parents = [new LayerLocation(below.Id, stagedBelow.Path)];
        driver.Driver.Rebase(stagedAbove);
        driver.Driver.Finish(stagedAbove);
        driver.Rename(stagedBelow, below);
        driver.Rename(stagedAbove, above);
        Assert.Equal(["etc/", "etc/new"], driver.NamesOf("top"));
        Assert.Contains("./etc dir 0700 5:6", driver.TreeOf("top", SnapshotParts.Mode | SnapshotParts.Owner));
    }

    [SkippableFact]
    public void Removed_layer_leaves_nothing_behind()
    {
        using var store = NewStore();
        using var driver = Open(store);
        driver.Create("base", parent: null).Write("a", "1");
        driver.Commit();
        var before = HomeOf(driver);
        driver.CreateWritable("top", parent: "base").Write("b", "2");
        driver.Commit();
        Assert.NotEqual(before, HomeOf(driver));
        driver.Remove("top");
        Assert.Equal(before, HomeOf(driver));
    }

    [SkippableFact]
    public void Removal_takes_a_mount_along_that_was_left()
    {
        using var store = NewStore();
        using var driver = Open(store);
        var layer = driver.CreateWritable("rw", parent: null).Write("a", "1").Commit();
        driver.Mount(layer, MountMode.ReadWrite);
        driver.Remove("rw");
        Assert.Empty(MountTable.ReadBelow(store.Path));
    }

    [SkippableFact]
    public void Recovery_removes_what_an_abandoned_layer_left_and_is_quiet_afterwards()
    {
        using var store = NewStore();
        using var driver = Open(store);
        var layer = driver.Create("base", parent: null).Write("a", "1").Commit();
        var before = HomeOf(driver);
        var abandoned = driver.Create("gone", parent: "base");
        var staged = driver.Stage(abandoned);
        driver.Driver.Begin(staged);
        driver.Driver.Finish(staged);
        Directory.Delete(staged.Path, recursive: true);

        driver.Restart();
        driver.Driver.Recover([layer.Id]);
        Assert.Equal(before, HomeOf(driver));
        Assert.Empty(driver.Driver.Recover([layer.Id]));
        Assert.Equal(["a"], driver.NamesOf("base"));
    }

    [SkippableFact]
    public void Retiring_a_staged_layer_takes_back_what_finishing_made()
    {
        using var store = NewStore();
        using var driver = Open(store);
        driver.Create("base", parent: null).Write("a", "1").Commit();
        var before = HomeOf(driver);
        var staged = driver.Stage(driver.Create("cancelled", parent: "base"));
        driver.Driver.Begin(staged);
        driver.Driver.Finish(staged);
        driver.Driver.Retire(new LayerLocation(staged.Id, staged.Path));
        Assert.Equal(before, HomeOf(driver));
    }

    [SkippableFact]
    public void Driver_tells_facts_in_groups()
    {
        using var store = NewStore();
        using var driver = Open(store);
        Assert.All(driver.Driver.Facts, fact => Assert.NotEmpty(fact.Value));
        Assert.Contains(driver.Driver.Facts, fact => fact is { Group: "file system", Name: "type" } && fact.Value == FileSystem.ToString().ToLowerInvariant());
        Assert.Contains(driver.Driver.Facts, fact => fact is { Group: "driver", Name: "name" });
    }

    [SkippableFact]
    public void Opening_leaves_no_scratch_behind()
    {
        using var store = NewStore();
        using var driver = Open(store);
        Assert.Empty(Directory.GetFileSystemEntries(store["staging"]));
    }

    private static IReadOnlyList<string> HomeOf(DriverUnderTest driver) =>
        TreeSnapshot.Capture(driver.Home, SnapshotParts.Mode | SnapshotParts.Owner | SnapshotParts.Content).Lines;

    private static void Extract(DriverUnderTest driver, StagedLayer staged, byte[] tar)
    {
        using var blob = new MemoryStream(tar);
        driver.Driver.Extract(staged, blob, new Archive.Apply.ExtractOptions(), observer: null, CancellationToken.None);
    }
}
