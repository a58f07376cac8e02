using StorageActors.DriverContractTests.Harness;
using StorageActors.Drivers;
using StorageActors.Drivers.Aufs;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.TestSupport;
using StorageActors.TestSupport.Aufs;
using Xunit;

namespace StorageActors.DriverContractTests;

/// <summary>What is the aufs driver's own, on the simulated kernel: its files, its calls in order, and what it makes of a module in trouble.</summary>
public sealed class AufsDriverTests : IDisposable
{
    private readonly TempDirectory _store;
    private readonly TempDirectory _scratch;
    private readonly List<string> _warnings = [];

    public AufsDriverTests()
    {
        RequiredTiers.SkipUnlessRoot();
        (_store, _scratch) = (LoopFileSystem.Shared(FileSystemKind.Ext4).NewDirectory(), LoopFileSystem.Shared(FileSystemKind.Ext4).NewDirectory());
        Kernel = new SimulatedAufs(_scratch.Path);
    }

    private SimulatedAufs Kernel { get; set; }

    [SkippableFact]
    public void Layer_has_its_part_of_the_three_trees_in_one_directory()
    {
        using var driver = Open();
        driver.Create("base", parent: null).Write("a", "1");
        driver.Create("middle", parent: "base").Write("b", "1");
        driver.CreateWritable("top", parent: "middle").Commit();
        string[] EntriesOf(string layer) => [.. Directory.GetFileSystemEntries($"{driver.Home}/{layer}").Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];
        Assert.Equal(["diff", "layers", "mnt", "tar-split.json.gz"], EntriesOf("base"));
        Assert.Equal(["diff", "layers", "mnt"], EntriesOf("top"));
        Assert.Equal("", File.ReadAllText($"{driver.Home}/base/layers"));
        Assert.Equal("base\n", File.ReadAllText($"{driver.Home}/middle/layers"));
        Assert.Equal("middle\nbase\n", File.ReadAllText($"{driver.Home}/top/layers"));
        Assert.Equal(0x1C0u, Libc.Stat($"{driver.Home}/top/mnt").Permissions);
        Assert.Equal(0x1C0u, Libc.Stat(driver.Home).Permissions);
    }

    [SkippableFact]
    public void Mount_of_many_layers_has_them_all_in_order_in_the_planned_number_of_calls()
    {
        using var driver = Open();
        var ids = Enumerable.Range(0, 101).Select(_ => LayerId.New().Value).ToList();
        for (var i = 0; i < ids.Count; i++) driver.Create(ids[i], i == 0 ? null : ids[i - 1]).Write($"file{i}", "1");
        var rw = driver.CreateWritable("rw", ids[^1]).Commit();
        var before = Kernel.Record.Events.Count;
        using var mount = driver.Mounted("rw", MountMode.ReadWrite, "nodev", "nosuid");
        Assert.Equal([AufsCall.Mount, AufsCall.Append], Kernel.Record.Events.Skip(before).Select(call => call.Call));
        Assert.Equal(
            ids.AsEnumerable().Reverse().Select(id => $"{driver.Home}/{id}/diff=ro+wh").Prepend($"{driver.Home}/rw/diff=rw"),
            Kernel.BranchesOf($"{driver.Locate(rw).Path}/mnt"));
        Assert.Equal(101, Directory.GetFiles(mount.Path).Length);
        Assert.Contains("nodev", Assert.Single(MountTable.ReadBelow(_store.Path)).Options, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Dirperm1_is_looked_for_once_and_missed_with_a_warning()
    {
        Kernel = new SimulatedAufs(_scratch.Path) { KnowsDirperm1 = false };
        using (Open())
        {
            Assert.Equal((int)Errno.EINVAL, Kernel.Record.Events[0].Answer);
            Assert.Contains(_warnings, warning => warning.Contains("dirperm1", StringComparison.Ordinal));
        }

        var calls = Kernel.Record.Events.Count;
        using var driver = new AufsDriver(_store.Path, Options(), kernel: Kernel);
        Assert.Equal(calls, Kernel.Record.Events.Count);
        Assert.DoesNotContain(driver.Facts, fact => fact.Value.Contains("dirperm1", StringComparison.Ordinal));
    }

    [SkippableFact]
    public void Layer_without_parents_is_its_directory_until_an_option_asks_for_a_mount()
    {
        using var driver = Open();
        var calls = Kernel.Record.Events.Count;
        var layer = driver.CreateWritable("alone", parent: null).Write("a", "1").Commit();
        var path = driver.Locate(layer).Path + "/diff";
        Assert.Equal(new ActiveMount(path, MountMode.ReadOnly), driver.Mount(layer, MountMode.ReadOnly));
        Assert.Equal(new ActiveMount(path, MountMode.ReadWrite), driver.Mount(layer, MountMode.ReadWrite));
        Assert.Empty(MountTable.ReadBelow(_store.Path));

        // In use for the next engine, and for nobody after a restart of the machine.
        driver.Restart();
        Assert.Equal(new ActiveMount(path, MountMode.ReadWrite), driver.Driver.FindMount(driver.Locate(layer)));
        driver.Restart(bootId: "another");
        Assert.Null(driver.Driver.FindMount(driver.Locate(layer)));
        driver.Restart();
        driver.Unmount(layer);
        Assert.Null(driver.Driver.FindMount(driver.Locate(layer)));

        using (var mount = driver.Mounted("alone", MountMode.ReadWrite, "ro", "noexec"))
        {
            Assert.Equal(Errno.EROFS, Assert.Throws<LinuxException>(() => mount.Do(new FileOp.Write("b", [1], Meta.File))).Errno);
            Assert.Contains("noexec", Assert.Single(MountTable.ReadBelow(_store.Path)).Options, StringComparison.Ordinal);
            Assert.Equal(path, driver.Mount(layer, MountMode.ReadWrite).Path);
            Assert.Empty(MountTable.ReadBelow(_store.Path));
        }

        Assert.Equal(calls, Kernel.Record.Events.Count);
    }

    [SkippableTheory]
    [InlineData("Aufs", false, true, "aufs")]
    [InlineData("Btrfs", false, true, "btrfs")]
    [InlineData("Ecryptfs", false, true, "ecryptfs")]
    [InlineData("Overlay", false, true, "volume")]
    [InlineData("Xfs", true, true, "user namespace")]
    [InlineData("Xfs", false, false, "Module aufs not found")]
    public void Machine_on_which_aufs_does_not_work_is_told_why(string fileSystem, bool inUserNamespace, bool isRegistered, string reason)
    {
        var kernel = new SimulatedAufs(_scratch.Path)
        {
            Machine = new AufsMachine(Enum.Parse<FsMagic>(fileSystem), inUserNamespace, isRegistered, isRegistered ? null : "Module aufs not found", 127),
        };
        var error = Assert.Throws<PermanentDriverException>(() => new AufsDriver(_store.Path, Options(), kernel: kernel)).Error;
        Assert.Equal(StorageErrorCode.Unsupported, error.Code);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_store.Path));
    }

    [SkippableFact]
    public void Kernel_without_aufs_refuses_the_driver_by_its_name_and_a_store_goes_on_with_another()
    {
        Skip.If(AufsContract.IsReal, "this kernel has aufs");
        var error = Assert.Throws<PermanentDriverException>(() => DriverFactory.Open("aufs", _store.Path, Options())).Error;
        Assert.Equal(StorageErrorCode.Unsupported, error.Code);
        Assert.Contains("/proc/filesystems", error.Message, StringComparison.Ordinal);
        Assert.Contains("overlay", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_store.Path));
        using var chosen = DriverFactory.Open(null, _store.Path, Options());
        Assert.NotEqual("aufs", chosen.Name);
    }

    [SkippableFact]
    public void What_aufs_keeps_in_a_branch_is_no_part_of_the_layer_but_its_whiteouts_are()
    {
        using var driver = Open();
        driver.Create("base", parent: null).Write("gone", "1").Write("dir/old", "1");
        driver.CreateWritable("rw", parent: "base").Remove("gone").Opaque("dir").Write("dir/new", "1");
        driver.Commit();
        var branch = $"{driver.Home}/rw/diff";
        foreach (var name in (string[])[".wh..wh.aufs", ".wh..wh.plnk", ".wh..wh.orph", ".wh.gone", "dir/.wh..wh..opq"]) Assert.True(Path.Exists($"{branch}/{name}"), name);
        Assert.Equal(["C /dir", "A /dir/new", "D /dir/old", "D /gone"], driver.Changes("rw"));
        Assert.Equal([".wh.gone", "dir/", "dir/.wh..wh..opq", "dir/new"], NamesIn(driver.Diff("rw")).Order(StringComparer.Ordinal));
    }

    [SkippableFact]
    public void Unknown_parent_is_refused_before_anything_is_made()
    {
        using var driver = Open();
        var path = driver.NewTicket();
        var staged = new StagedLayer(LayerId.Parse("child"), path, writable: true) { Parents = [new LayerLocation(LayerId.Parse("nobody"), $"{driver.Home}/nobody")] };
        var error = Assert.Throws<PermanentDriverException>(() => driver.Driver.Begin(staged)).Error;
        Assert.Equal(StorageErrorCode.NotFound, error.Code);
        Assert.Contains("nobody", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(path));
    }

    [SkippableFact]
    public void Recovery_unmounts_what_belongs_to_no_layer_and_says_what_it_could_not()
    {
        using var driver = Open();
        driver.Create("base", parent: null).Write("a", "1");
        var (lost, held) = (driver.CreateWritable("lost", parent: "base").Commit(), driver.CreateWritable("held", parent: "base").Commit());
        driver.Mount(lost, MountMode.ReadWrite);
        using (File.Create(driver.Mount(held, MountMode.ReadWrite).Path + "/open"))
        {
            var lines = driver.Driver.Recover([LayerId.Parse("base")]).Order(StringComparer.Ordinal).ToList();
            Assert.Equal(2, lines.Count);
            Assert.Contains("held/mnt belongs to no layer and cannot be unmounted", lines[0], StringComparison.Ordinal);
            Assert.Contains("lost/mnt, which belongs to no layer", lines[1], StringComparison.Ordinal);
        }

        Assert.Single(driver.Driver.Recover([LayerId.Parse("base")]));
        Assert.Empty(MountTable.ReadBelow(_store.Path));
    }

    [SkippableFact]
    public void Stack_over_the_modules_branches_is_refused_before_it_is_made()
    {
        Kernel = new SimulatedAufs(_scratch.Path) { Machine = Kernel.Machine with { BranchLimit = 3 } };
        using var driver = Open();
        driver.Create("one", parent: null);
        driver.Create("two", parent: "one");
        driver.Create("three", parent: "two").Commit();
        var error = Assert.Throws<PermanentDriverException>(() => driver.CreateWritable("four", parent: "three").Commit()).Error;
        Assert.Equal(StorageErrorCode.LimitExceeded, error.Code);
        Assert.Contains("4 layers; this aufs takes 3", error.Message, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _store.Dispose();
        _scratch.Dispose();
        Assert.Empty(Kernel.Record.Violations);
        Assert.Empty(Kernel.Mounted);
    }

    private static IEnumerable<string> NamesIn(byte[] tar)
    {
        using var reader = new System.Formats.Tar.TarReader(new MemoryStream(tar));
        while (reader.GetNextEntry() is { } entry) yield return entry.Name;
    }

    private DriverOptions Options() => new()
    {
        Warn = warning =>
        {
            lock (_warnings) _warnings.Add(warning);
        },
    };

    private DriverUnderTest Open() => new(
        _store.Path, (root, options) => new ModelledAufsDriver(new AufsDriver(root, options with { Warn = Options().Warn }, kernel: Kernel), Kernel), AufsMachine.DefaultBranchLimit);
}
