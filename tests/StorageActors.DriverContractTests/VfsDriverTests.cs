using System.Security.Cryptography;
using StorageActors.DriverContractTests.Harness;
using StorageActors.Drivers;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.DriverContractTests;

/// <summary>What is the vfs driver's own.</summary>
public sealed class VfsDriverTests
{
    private const int Large = 24 << 20;

    [SkippableTheory]
    [InlineData(FileSystemKind.Xfs)]
    [InlineData(FileSystemKind.Btrfs)]
    public void Layer_takes_what_it_changes_where_blocks_are_shared(FileSystemKind kind)
    {
        RequiredTiers.SkipUnlessRoot();
        using var disk = LoopFileSystem.Create(kind, 800L << 20);
        using var store = disk.NewDirectory();
        using var driver = Open(store);
        driver.Create("base", parent: null).Write("large", RandomNumberGenerator.GetBytes(Large)).Write("small", "1").Commit();
        var free = FreeBytes(store.Path);
        for (var i = 0; i < 8; i++) driver.Create($"top{i}", parent: i == 0 ? "base" : $"top{i - 1}").Write($"own{i}", RandomNumberGenerator.GetBytes(100_000));
        driver.CreateWritable("rw", parent: "top7").Commit();
        using (var mount = driver.Mounted("rw", MountMode.ReadWrite))
        using (var file = Libc.Open(mount.Path + "/large", OpenFlags.WriteOnly))
        {
            Libc.PWriteAll(file, RandomNumberGenerator.GetBytes(1 << 20), 4 << 20);
        }

        var taken = free - FreeBytes(store.Path);
        Assert.InRange(Measure(driver, "base"), Large, Large + (1 << 20));   // also now that its blocks are others', too
        for (var i = 0; i < 8; i++) Assert.InRange(Measure(driver, $"top{i}"), 100_000, 400_000);
        Assert.InRange(Measure(driver, "rw"), 1 << 20, 2 << 20);
        Assert.InRange(taken, 1 << 20, Large);   // nine copies of the large file would be nine times that
    }

    [SkippableFact]
    public void Layer_takes_all_of_its_tree_where_no_blocks_are_shared()
    {
        RequiredTiers.SkipUnlessRoot();
        using var store = LoopFileSystem.Shared(FileSystemKind.Ext4).NewDirectory();
        using var driver = Open(store);
        driver.Create("base", parent: null).Write("large", RandomNumberGenerator.GetBytes(1 << 20));
        driver.Create("top", parent: "base").Write("own", "1").Commit();
        Assert.InRange(Measure(driver, "top"), 1 << 20, (1 << 20) + 65536);
        Assert.Contains(driver.Driver.Facts, fact => fact is { Name: "shared blocks", Value: "no" });
    }

    [SkippableFact]
    public void Content_that_was_copied_from_the_parent_is_verified_too()
    {
        RequiredTiers.SkipUnlessRoot();
        using var store = LoopFileSystem.Shared(FileSystemKind.Xfs).NewDirectory();
        using var driver = Open(store);
        driver.Create("base", parent: null).Write("dir/below", "unharmed").Write("gone", "1").Write("replaced", "1");
        driver.Create("top", parent: "base").Write("own", "1").Remove("gone").Write("replaced", "2").Write("dir/more", "1").Commit();
        IReadOnlyList<string> Verify(bool full) => driver.Driver.Verify(driver.Locate("top"), driver.Parents(driver["top"]), full, CancellationToken.None);
        Assert.Empty(Verify(full: true));

        driver.IsHarmed = true;
        var path = driver.Locate("top").Path + "/diff/dir/below";
        var time = File.GetLastWriteTimeUtc(path);
        File.WriteAllText(path, "unharmfd");
        File.SetLastWriteTimeUtc(path, time);
        Assert.Empty(Verify(full: false));
        Assert.Contains("/dir/below", Assert.Single(Verify(full: true)), StringComparison.Ordinal);
        File.Delete(path);
        File.WriteAllText(driver.Locate("top").Path + "/diff/foreign", "");
        Assert.Equal(["/dir/below", "/foreign"], Verify(full: false).Select(line => line.Split(':')[0]));
    }

    [SkippableFact]
    public void Options_that_a_directory_cannot_give_are_refused_and_read_only_is_taken()
    {
        RequiredTiers.SkipUnlessRoot();
        using var store = LoopFileSystem.Shared(FileSystemKind.Ext4).NewDirectory();
        using var driver = Open(store);
        var layer = driver.CreateWritable("rw", parent: null).Commit();
        Assert.Equal(MountMode.ReadOnly, driver.Mount(layer, MountMode.ReadWrite, "ro").Mode);
        foreach (var word in (string[])["nodev", "noexec", "volatile", "context=a:b:c:s0"])
        {
            var error = Assert.Throws<PermanentDriverException>(() => driver.Mount(layer, MountMode.ReadWrite, word)).Error;
            Assert.Equal(StorageErrorCode.InvalidArgument, error.Code);
            Assert.Contains(word, error.Message, StringComparison.Ordinal);
        }
    }

    [SkippableFact]
    public void Cancelled_copy_of_a_parent_ends_as_cancelled_and_can_be_begun_again()
    {
        RequiredTiers.SkipUnlessRoot();
        using var store = LoopFileSystem.Shared(FileSystemKind.Ext4).NewDirectory();
        using var driver = Open(store);
        driver.Create("base", parent: null).Write("a", "1").Commit();
        var staged = driver.Stage(driver.CreateWritable("rw", parent: "base"));
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        staged.Stop = stop.Token;
        Assert.Equal(StorageErrorCode.Cancelled, Assert.Throws<PermanentDriverException>(() => driver.Driver.Begin(staged)).Error.Code);
        staged.Stop = CancellationToken.None;
        driver.Driver.Begin(staged);
        driver.Driver.Finish(staged);
        driver.Rename(staged, driver["rw"]);
        Assert.Equal(["a"], driver.NamesOf("rw"));
    }

    [SkippableFact]
    public void First_driver_that_works_is_chosen_and_the_reason_says_why_not_the_others()
    {
        RequiredTiers.SkipUnlessRoot();
        using var store = LoopFileSystem.Shared(FileSystemKind.Ext4).NewDirectory();
        foreach (var name in (string[])["lower", "upper", "work", "merged"]) Directory.CreateDirectory(store[name]);
        Command.Run("mount", "-t", "overlay", "overlay", store["merged"], "-o", $"lowerdir={store["lower"]},upperdir={store["upper"]},workdir={store["work"]}");
        try
        {
            var root = Directory.CreateDirectory(store["merged/store"]).FullName;
            using var driver = DriverFactory.Open(null, root, new DriverOptions());
            Assert.Equal("vfs", driver.Name);
            Assert.Matches("^vfs \\(the first that works here; .*overlay: .*on top of another", driver.Facts.Single(fact => fact is { Group: "driver", Name: "name" }).Value);
            Assert.Equal(["staging", "vfs"], Directory.GetDirectories(root).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        }
        finally
        {
            TempDirectory.Unmount(store["merged"]);
        }
    }

    private static long Measure(DriverUnderTest driver, string id) => driver.Driver.Measure(driver.Locate(id)).Bytes;

    private static long FreeBytes(string path)
    {
        using (var directory = Libc.OpenDirectory(path)) Libc.SyncFs(directory);
        var status = Libc.StatFs(path);
        return (long)status.AvailableBlocks * status.BlockSize;
    }

    private static DriverUnderTest Open(TempDirectory store) => new(store.Path, (root, options) => DriverFactory.Open("vfs", root, options), 500);
}
