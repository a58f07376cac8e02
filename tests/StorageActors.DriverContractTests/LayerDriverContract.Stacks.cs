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
    [SkippableFact]
    public void Deep_stack_is_mounted_whole()
    {
        using var store = NewStore();
        using var driver = Open(store);
        var depth = Math.Min(128, MaximumLayers);
        MakeStack(driver, depth);
        CheckStack(driver, depth);
    }

    [SkippableFact]
    public void Stack_may_have_as_many_layers_as_the_driver_takes_and_not_one_more()
    {
        using var store = NewStore();
        using var driver = Open(store);
        SkipUnless(driver, DriverCapabilities.KernelMount);
        MakeStack(driver, MaximumLayers);
        CheckStack(driver, MaximumLayers);

        // The upper directory of a writable layer is none of the lower ones.
        driver.CreateWritable("rw", parent: $"layer{MaximumLayers}").Write("file1", "rw");
        using (var mount = driver.Mounted("rw", MountMode.ReadWrite)) Assert.Equal("rw", File.ReadAllText(mount.Path + "/file1"));

        if (MaximumLayers < 500) return;
        var error = RefusedForGood(() => driver.Create("over", parent: $"layer{MaximumLayers}").Write("a", "1").Commit());
        Assert.Equal(StorageErrorCode.LimitExceeded, error.Code);
        Assert.Contains("501", error.Message, StringComparison.Ordinal);
        Assert.Equal(StorageErrorCode.LimitExceeded, RefusedForGood(() => driver.CreateWritable("over", parent: "rw").Commit()).Code);
    }

    [SkippableTheory]
    [InlineData("with blank", 1)]
    [InlineData("co:lon,com\\ma", 3)]
    [InlineData("a=b\"quo'te", 2)]
    public void Root_may_have_any_name(string name, int depth)
    {
        using var store = NewStore();
        var root = store[name];
        Libc.Mkdir(root, 0x1C0);
        using var driver = Open(root);
        MakeStack(driver, depth);
        CheckStack(driver, depth);
        driver.CreateWritable("rw", parent: $"layer{depth}").Write("dir/new", "1");
        Assert.Contains("dir/new", driver.FilesOf("rw"));
    }

    [SkippableFact]
    public void Root_may_lie_deep_and_its_stack_need_more_than_a_page_of_paths()
    {
        using var store = NewStore();
        var root = store.Path;
        while (root.Length < 3500) root += "/" + new string('d', 200);
        Directory.CreateDirectory(root);
        using var driver = Open(root);
        var depth = Math.Min(60, MaximumLayers);
        MakeStack(driver, depth);
        Assert.True(depth * root.Length > 10 * 4096);
        CheckStack(driver, depth);
    }

    private static void MakeStack(DriverUnderTest driver, int depth)
    {
        for (var i = 1; i <= depth; i++)
        {
            var layer = driver.Create($"layer{i}", i == 1 ? null : $"layer{i - 1}").Write($"file{i}", $"{i}").Write("shared", $"{i}");
            if (i > 2) layer.Remove($"file{i - 2}");
        }
    }

    private static void CheckStack(DriverUnderTest driver, int depth)
    {
        using var mount = driver.Mounted($"layer{depth}", MountMode.ReadOnly);
        Assert.Equal($"{depth}", File.ReadAllText(mount.Path + "/shared"));
        // Each layer hides the file of the one before the one below it: the last two are left, and the top one shows all layers are there.
        var expected = Enumerable.Range(1, depth).Where(i => i > depth - 2).Select(i => $"./file{i} file {$"{i}".Length}");
        var found = TreeSnapshot.Capture(mount.Path, SnapshotParts.None).Lines.Where(line => line.StartsWith("./file", StringComparison.Ordinal));
        Assert.Equal(expected.Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
    }
}
