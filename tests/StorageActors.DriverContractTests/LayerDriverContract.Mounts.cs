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
    public void Mount_is_inside_the_layers_directory_and_says_its_mode()
    {
        using var store = NewStore();
        using var driver = Open(store);
        var layer = driver.CreateWritable("rw", parent: null).Write("a", "1").Commit();
        using (var mount = driver.Mounted("rw", MountMode.ReadWrite))
        {
            Assert.StartsWith(driver.Locate(layer).Path + "/", mount.Path, StringComparison.Ordinal);
            Assert.Equal(MountMode.ReadWrite, mount.Active.Mode);
            Assert.Equal(mount.Active, driver.Driver.FindMount(driver.Locate(layer)));
        }

        if (driver.Can(DriverCapabilities.KernelMount)) Assert.Null(driver.Driver.FindMount(driver.Locate(layer)));
        using var view = driver.Mounted("rw", MountMode.ReadOnly);
        if (driver.Can(DriverCapabilities.ReadOnlyMounts)) Assert.Equal(MountMode.ReadOnly, view.Active.Mode);
        Assert.Equal("1", File.ReadAllText(view.Path + "/a"));
    }

    [SkippableFact]
    public void Mounting_again_gives_the_mount_that_is_there()
    {
        using var store = NewStore();
        using var driver = Open(store);
        driver.CreateWritable("rw", parent: null);
        using var mount = driver.Mounted("rw", MountMode.ReadWrite);
        var before = MountsBelow(store.Path);
        Assert.Equal(mount.Active, driver.Mount(driver["rw"], MountMode.ReadWrite));
        Assert.Equal(before, MountsBelow(store.Path));
    }

    [SkippableFact]
    public void Unmounting_what_is_not_mounted_is_success()
    {
        using var store = NewStore();
        using var driver = Open(store);
        var layer = driver.CreateWritable("rw", parent: null).Commit();
        driver.Unmount(layer);
        driver.Mount(layer, MountMode.ReadWrite);
        driver.Unmount(layer);
        driver.Unmount(layer);
        driver.Unmount(layer, force: true);
        Assert.Empty(MountsBelow(store.Path));
    }

    [SkippableFact]
    public void Read_only_mount_refuses_writes()
    {
        using var store = NewStore();
        using var driver = Open(store);
        SkipUnless(driver, DriverCapabilities.ReadOnlyMounts);
        driver.Create("base", parent: null).Write("a", "1");
        driver.CreateWritable("rw", parent: "base").Write("b", "1");
        foreach (var name in driver.Can(DriverCapabilities.BaseMounts) ? (string[])["base", "rw"] : ["rw"])
        {
            using var mount = driver.Mounted(name, MountMode.ReadOnly);
            var error = Assert.Throws<LinuxException>(() => mount.Do(new FileOp.Write("new", [1], Meta.File)));
            Assert.Equal(Errno.EROFS, error.Errno);
        }
    }

    [SkippableFact]
    public void Writes_stay_in_the_layer_that_they_were_made_in()
    {
        using var store = NewStore();
        using var driver = Open(store);
        driver.Create("base", parent: null).Write("a", "1").Write("dir/b", "1");
        driver.CreateWritable("left", parent: "base");
        driver.CreateWritable("right", parent: "base");
        using (var left = driver.Mounted("left", MountMode.ReadWrite))
        using (var right = driver.Mounted("right", MountMode.ReadWrite))
        using (var below = driver.Mounted("base", MountMode.ReadOnly))
        {
            left.Do(new FileOp.Write("a", "left"u8.ToArray(), Meta.File), new FileOp.Remove("dir/b"));
            right.Do(new FileOp.Write("new", "right"u8.ToArray(), Meta.File));
            Assert.Equal("1", File.ReadAllText(right.Path + "/a"));
            Assert.Equal("1", File.ReadAllText(below.Path + "/a"));
            Assert.True(File.Exists(right.Path + "/dir/b"));
        }

        Assert.Equal(["a"], driver.FilesOf("left"));
        Assert.Equal(["a", "dir/b", "new"], driver.FilesOf("right"));
        Assert.Equal(["a", "dir/b"], driver.FilesOf("base"));
    }

    [SkippableFact]
    public void Mount_of_an_engine_that_died_is_taken_over()
    {
        using var store = NewStore();
        using var driver = Open(store);
        driver.Create("base", parent: null).Write("a", "1");
        var layer = driver.CreateWritable("rw", parent: "base").Commit();
        var before = driver.Mount(layer, MountMode.ReadWrite);
        using var held = File.Create(before.Path + "/held");
        var mounts = MountsBelow(store.Path);

        driver.Restart();
        Assert.Equal(before, driver.Driver.FindMount(driver.Locate(layer)));
        Assert.Equal(before, driver.Mount(layer, MountMode.ReadWrite));
        Assert.Equal(mounts, MountsBelow(store.Path));
        held.WriteByte(1);
        held.Dispose();
        driver.Unmount(layer);
        Assert.Empty(MountsBelow(store.Path));
        Assert.Equal(["a", "held"], driver.FilesOf("rw"));
    }

    [SkippableFact]
    public void Mount_with_another_mode_or_other_options_than_asked_for_is_replaced()
    {
        using var store = NewStore();
        using var driver = Open(store);
        SkipUnless(driver, DriverCapabilities.KernelMount);
        var layer = driver.CreateWritable("rw", parent: EmptyBase(driver)).Commit();
        driver.Mount(layer, MountMode.ReadOnly);
        driver.Restart();
        using var mount = driver.Mounted("rw", MountMode.ReadWrite);
        Assert.Equal(MountMode.ReadWrite, mount.Active.Mode);
        Assert.Single(MountsBelow(store.Path));
        mount.Do(new FileOp.Write("a", [1], Meta.File));
        driver.Mount(layer, MountMode.ReadWrite, "nodev");
        Assert.Contains("nodev", Assert.Single(MountTable.ReadBelow(store.Path)).Options, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Options_reach_the_kernel_and_only_known_ones_are_taken()
    {
        using var store = NewStore();
        using var driver = Open(store);
        SkipUnless(driver, DriverCapabilities.KernelMount);
        driver.CreateWritable("rw", parent: null);
        using (driver.Mounted("rw", MountMode.ReadWrite, "nodev", "noexec", "nosuid", "noatime"))
        {
            var options = Assert.Single(MountTable.ReadBelow(store.Path)).Options.Split(',');
            Assert.Superset(new HashSet<string> { "rw", "nodev", "noexec", "nosuid", "noatime" }, options.ToHashSet());
        }

        using (var mount = driver.Mounted("rw", MountMode.ReadWrite, "ro")) Assert.Equal(MountMode.ReadOnly, mount.Active.Mode);
        foreach (var word in (string[])["lowerdir=/etc", "rw,upperdir=/etc", "suid", "nodev,noexec", "", "context="])
        {
            var error = RefusedForGood(() => driver.Mount(driver["rw"], MountMode.ReadWrite, "nodev", word));
            Assert.Equal(StorageErrorCode.InvalidArgument, error.Code);
            Assert.Contains($"\"{word}\"", error.Message, StringComparison.Ordinal);
        }
    }

    [SkippableFact]
    public void Busy_unmount_names_who_holds_the_mount_and_may_be_tried_again()
    {
        using var store = NewStore();
        using var driver = Open(store);
        SkipUnless(driver, DriverCapabilities.KernelMount);
        var layer = driver.CreateWritable("rw", parent: EmptyBase(driver)).Directory("inside").Commit();
        var path = driver.Mount(layer, MountMode.ReadWrite).Path;
        using (var process = BackgroundProcess.Start(path + "/inside", "sleep", "1000"))
        using (File.Create(path + "/inside/mine"))
        {
            var error = Assert.Throws<TransientDriverException>(() => driver.Driver.Unmount(driver.Locate(layer), force: false)).Error;
            Assert.Equal((StorageErrorCode.InUse, "EBUSY"), (error.Code, error.Errno));
            Assert.Contains($"process {process.Id} (sleep 1000) works in {path}/inside", error.Message, StringComparison.Ordinal);
            Assert.Contains($"process {Environment.ProcessId} (", error.Message, StringComparison.Ordinal);
            Assert.Contains($"{path}/inside/mine open", error.Message, StringComparison.Ordinal);
            Assert.NotNull(driver.Driver.FindMount(driver.Locate(layer)));
        }

        driver.Unmount(layer);
        Assert.Equal(["inside/", "inside/mine"], driver.NamesOf("rw"));
    }

    [SkippableFact]
    public void Forced_unmount_takes_a_busy_mount_away()
    {
        using var store = NewStore();
        using var driver = Open(store);
        SkipUnless(driver, DriverCapabilities.KernelMount);
        var layer = driver.CreateWritable("rw", parent: EmptyBase(driver)).Commit();
        using (File.Create(driver.Mount(layer, MountMode.ReadWrite).Path + "/held"))
        {
            driver.Unmount(layer, force: true);
            Assert.Null(driver.Driver.FindMount(driver.Locate(layer)));
            Assert.Empty(MountsBelow(store.Path));
        }

        Assert.Equal(["held"], driver.NamesOf("rw"));
    }

    [SkippableFact]
    public void What_was_written_into_the_bare_mount_point_is_kept_aside_and_in_nobodys_way()
    {
        using var store = NewStore();
        using var driver = Open(store);
        SkipUnless(driver, DriverCapabilities.KernelMount);
        var layer = driver.CreateWritable("rw", parent: EmptyBase(driver)).Write("real", "1").Commit();
        string path;
        using (var mount = driver.Mounted("rw", MountMode.ReadWrite)) path = mount.Path;
        for (var round = 1; round <= 2; round++)
        {
            Directory.CreateDirectory(path);
            File.WriteAllText($"{path}/stray", $"round {round}");
            if (round == 2) driver.Unmount(layer);
            Assert.Equal(["real"], driver.FilesOf("rw"));
            Assert.Empty(Directory.GetFileSystemEntries(path));
        }

        var kept = Directory.GetFiles(driver.Locate(layer).Path, "stray", SearchOption.AllDirectories).Select(File.ReadAllText).Order();
        Assert.Equal(["round 1", "round 2"], kept);
    }

    [SkippableFact]
    public void Mount_point_that_is_missing_is_made_again()
    {
        using var store = NewStore();
        using var driver = Open(store);
        SkipUnless(driver, DriverCapabilities.KernelMount);
        driver.CreateWritable("rw", parent: EmptyBase(driver)).Write("a", "1");
        string path;
        using (var mount = driver.Mounted("rw", MountMode.ReadWrite)) path = mount.Path;
        Directory.Delete(path);
        Assert.Equal(["a"], driver.FilesOf("rw"));
    }

    [SkippableFact]
    public void Copies_of_a_mount_in_other_mount_namespaces_go_with_it()
    {
        using var store = NewStore();
        using var driver = Open(store);
        SkipUnless(driver, DriverCapabilities.KernelMount);
        var layer = driver.CreateWritable("rw", parent: EmptyBase(driver)).Commit();
        var path = driver.Mount(layer, MountMode.ReadWrite).Path;
        using var process = BackgroundProcess.Start("/", "unshare", "--mount", "--propagation", "private", "sh", "-c", "echo there; exec sleep 1000");
        string MountsThere() => File.ReadAllText($"/proc/{process.Id}/mountinfo");
        Assert.Equal("there", process.ReadLine());
        Assert.Contains(path, MountsThere(), StringComparison.Ordinal);
        Assert.Contains(Drivers.Mounting.MountHolders.Find(path), line => line.Contains("mount namespace", StringComparison.Ordinal));
        driver.Unmount(layer);
        Assert.DoesNotContain(path, MountsThere(), StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Volatile_layer_can_be_mounted_again_in_the_same_boot_and_is_refused_after_a_restart()
    {
        using var store = NewStore();
        using var driver = Open(store);
        SkipUnless(driver, DriverCapabilities.VolatileMounts);
        driver.CreateWritable("rw", parent: EmptyBase(driver));
        for (var round = 0; round < 2; round++)
        {
            using var mount = driver.Mounted("rw", MountMode.ReadWrite, "volatile");
            mount.Do(new FileOp.Write($"file{round}", [1], Meta.File));
        }

        driver.Restart(bootId: "another");
        var error = RefusedForGood(() => driver.Mount(driver["rw"], MountMode.ReadWrite));
        Assert.Equal(StorageErrorCode.Damaged, error.Code);
        Assert.Contains("volatile", error.Message, StringComparison.Ordinal);
        Assert.Equal(StorageErrorCode.Damaged, RefusedForGood(() => driver.Seal("rw")).Code);

        driver.Restart();
        Assert.Equal(["file0", "file1"], driver.FilesOf("rw"));
    }

    [SkippableFact]
    public void Unmounting_with_sync_ends_the_doubt_about_a_volatile_layer()
    {
        using var store = NewStore();
        using var driver = Open(store);
        SkipUnless(driver, DriverCapabilities.VolatileMounts);
        driver.CreateWritable("rw", parent: EmptyBase(driver));
        using (var mount = driver.Mounted("rw", MountMode.ReadWrite, "volatile")) mount.Do(new FileOp.Write("a", [1], Meta.File));
        using (driver.Mounted("rw", MountMode.ReadWrite))
        {
            // The kernel syncs when this one is unmounted.
        }

        driver.Restart(bootId: "another");
        using var again = driver.Mounted("rw", MountMode.ReadWrite);
        Assert.True(File.Exists(again.Path + "/a"));
    }

    [SkippableFact]
    public void Layers_are_mounted_and_unmounted_side_by_side()
    {
        using var store = NewStore();
        using var driver = Open(store);
        driver.Create("base", parent: null).Write("a", "1");
        for (var i = 0; i < 16; i++) driver.CreateWritable($"rw{i}", parent: "base");
        driver.Commit();
        Parallel.For(0, 64, new ParallelOptions { MaxDegreeOfParallelism = 8 }, step =>
        {
            if (step >= 16) return;
            for (var round = 0; round < 4; round++)
            {
                using var mount = new MountScope(driver, driver[$"rw{step}"], MountMode.ReadWrite, []);
                mount.Do(new FileOp.Write($"file{round}", [1], Meta.File));
            }
        });
        Assert.Empty(MountsBelow(store.Path));
        for (var i = 0; i < 16; i++) Assert.Equal(["a", "file0", "file1", "file2", "file3"], driver.FilesOf($"rw{i}"));
    }

    [SkippableFact]
    public void Mounts_that_are_described_show_the_same_tree_to_who_makes_them()
    {
        using var store = NewStore();
        using var driver = Open(store);
        driver.Create("base", parent: null).Write("a", "1").Write("dir/b", "1").Root(Meta.Of("711"));
        driver.Create("top", parent: "base").Remove("a").Write("dir/c", "2");
        driver.CreateWritable("rw", parent: "top").Write("d", "3").Remove("dir/b");
        driver.CreateWritable("alone", parent: null).Write("e", "4");
        foreach (var (name, mode) in (ReadOnlySpan<(string, MountMode)>)
            [("base", MountMode.ReadOnly), ("top", MountMode.ReadOnly), ("rw", MountMode.ReadOnly), ("rw", MountMode.ReadWrite), ("alone", MountMode.ReadWrite)])
        {
            var expected = driver.TreeOf(name);
            var steps = driver.Driver.Describe(driver.Request(driver[name], mode, "nodev"));
            using var target = new TempDirectory(store.Path);
            foreach (var step in steps) MountDescribed(step, target.Path);

            try
            {
                Assert.Equal(expected, TreeSnapshot.Capture(target.Path).Lines);
                if (mode == MountMode.ReadWrite) File.WriteAllText(target["written"], "");
            }
            finally
            {
                UnmountDescribed(target.Path);
            }

            if (mode == MountMode.ReadWrite) Assert.Contains("written", driver.FilesOf(name));
        }
    }

    /// <summary>A layer below that adds nothing: there are drivers that mount no layer without one.</summary>
    private static string EmptyBase(DriverUnderTest driver)
    {
        driver.Create("empty", parent: null);
        return "empty";
    }

    private static List<int> MountsBelow(string path) => MountTable.ReadBelow(path).Select(mount => mount.Id).ToList();
}
