using StorageActors.DriverContractTests.Harness;
using StorageActors.Drivers;
using StorageActors.Drivers.Aufs;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.TestSupport;
using StorageActors.TestSupport.Aufs;
using Xunit;

namespace StorageActors.DriverContractTests;

/// <summary>The aufs driver and a module that fails, races and misses.</summary>
public sealed class AufsTroubleTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);
    private readonly TempDirectory _store;
    private readonly TempDirectory _scratch;
    private readonly SimulatedAufs _kernel;
    private readonly List<string> _warnings = [];
    private readonly DriverUnderTest _driver;

    public AufsTroubleTests()
    {
        RequiredTiers.SkipUnlessRoot();
        (_store, _scratch) = (LoopFileSystem.Shared(FileSystemKind.Ext4).NewDirectory(), LoopFileSystem.Shared(FileSystemKind.Ext4).NewDirectory());
        _kernel = new SimulatedAufs(_scratch.Path);
        _driver = new DriverUnderTest(_store.Path, Open, AufsMachine.DefaultBranchLimit);
        _driver.Create("base", parent: null).Write("a", "1");
        _driver.CreateWritable("rw", parent: "base").Commit();
    }

    [SkippableFact]
    public void Mount_that_fails_half_way_is_taken_away_plainly_and_says_what_was_asked_for()
    {
        var ids = Enumerable.Range(0, 70).Select(_ => LayerId.New().Value).ToList();
        for (var i = 0; i < ids.Count; i++) _driver.Create(ids[i], i == 0 ? "base" : ids[i - 1]);
        var top = _driver.CreateWritable("top", parent: ids[^1]).Commit();
        _kernel.Fault = static (call, _) => call == AufsCall.Append ? Errno.EIO : Errno.None;
        var before = _kernel.Record.Events.Count;
        var error = Assert.Throws<PermanentDriverException>(() => _driver.Driver.Mount(_driver.Request(top, MountMode.ReadWrite))).Error;
        Assert.Equal([AufsCall.Mount, AufsCall.Append, AufsCall.Unmount], _kernel.Record.Events.Skip(before).Select(call => call.Call));
        Assert.Equal((StorageErrorCode.Io, "EIO", "mount"), (error.Code, error.Errno, error.Operation));
        foreach (var part in (string[])[$"{_driver.Locate(top).Path}/mnt", "flags 0x20", "source none", "append:", "EIO"]) Assert.Contains(part, error.Message, StringComparison.Ordinal);
        Assert.Empty(MountTable.ReadBelow(_store.Path));
        _kernel.Fault = static (_, _) => Errno.None;
        using var mount = _driver.Mounted("top", MountMode.ReadWrite);
    }

    [SkippableTheory]
    [InlineData(0, 1, false)]
    [InlineData(1, 2, false)]
    [InlineData(5, 6, false)]
    [InlineData(6, 6, true)]
    public void Auplink_that_does_not_find_the_mount_is_tried_again_and_never_keeps_it_from_being_unmounted(int misses, int runs, bool warns)
    {
        _driver.Mount(_driver["rw"], MountMode.ReadWrite);
        _kernel.Fault = (call, number) => call == AufsCall.Flush && number <= misses ? Errno.EINVAL : Errno.None;
        _driver.Driver.Unmount(_driver.Locate("rw"), force: false);
        Assert.Equal(runs, _kernel.Record.Events.Count(call => call is { Call: AufsCall.Flush }));
        Assert.Equal(warns, _warnings.Exists(warning => warning.Contains("auplink ended with 22 after 6 attempts", StringComparison.Ordinal)));
        Assert.Empty(MountTable.ReadBelow(_store.Path));
    }

    [SkippableTheory]
    [InlineData(1)]
    [InlineData(5)]
    public void Busy_unmount_is_tried_again_five_times_with_a_pause(int times)
    {
        _driver.Mount(_driver["rw"], MountMode.ReadWrite);
        var first = Unmounts();
        _kernel.Fault = (call, number) => call == AufsCall.Unmount && number <= first + times ? Errno.EBUSY : Errno.None;
        _driver.Driver.Unmount(_driver.Locate("rw"), force: false);
        Assert.Equal(times, _kernel.Pauses);
        Assert.Empty(MountTable.ReadBelow(_store.Path));
    }

    [SkippableFact]
    public void Mount_that_stays_busy_is_a_transient_error_and_can_be_forced_without_a_pause()
    {
        _driver.Mount(_driver["rw"], MountMode.ReadWrite);
        _kernel.Fault = static (call, _) => call == AufsCall.Unmount ? Errno.EBUSY : Errno.None;
        var error = Assert.Throws<TransientDriverException>(() => _driver.Driver.Unmount(_driver.Locate("rw"), force: false)).Error;
        Assert.Equal((StorageErrorCode.InUse, "EBUSY"), (error.Code, error.Errno));
        Assert.Equal(5, _kernel.Pauses);
        var first = Unmounts();
        _kernel.Fault = (call, number) => call == AufsCall.Unmount && number == first + 1 ? Errno.EBUSY : Errno.None;
        _driver.Driver.Unmount(_driver.Locate("rw"), force: true);
        Assert.Equal(5, _kernel.Pauses);
        Assert.Empty(MountTable.ReadBelow(_store.Path));
    }

    [SkippableFact]
    public void What_is_not_mounted_is_unmounted_without_auplink()
    {
        _driver.Driver.Unmount(_driver.Locate("rw"), force: false);
        _driver.Driver.Unmount(_driver.Locate("base"), force: true);
        Assert.DoesNotContain(_kernel.Record.Events, call => call.Call == AufsCall.Flush);
    }

    [SkippableFact]
    public void File_of_inode_numbers_that_a_dead_mount_left_is_in_nobodys_way()
    {
        var xino = UnionMounts.XinoOf(_driver.Home);
        File.WriteAllText(xino, "");
        using (_driver.Mounted("rw", MountMode.ReadWrite)) Assert.False(File.Exists(xino));
        Assert.Contains(_warnings, warning => warning.StartsWith(xino, StringComparison.Ordinal));
    }

    [SkippableFact]
    public void Two_mounts_at_once_without_the_gate_trip_over_each_others_file()
    {
        const string xino = "/dev/shm/aufs-test-race.xino";
        using var first = new ManualResetEventSlim();
        using var second = new ManualResetEventSlim();
        _kernel.InsideXino = _ =>
        {
            first.Set();
            Assert.True(second.Wait(Limit));
        };
        string Data(string layer) => $"br:{_driver.Home}/{layer}/diff=ro+wh,dio,xino={xino}";
        Directory.CreateDirectory(_store["one"]);
        Directory.CreateDirectory(_store["two"]);
        var thread = new Thread(() => _kernel.Mount("none", _store["one"], "aufs", MountFlags.ReadOnly, Data("base")));
        thread.Start();
        Assert.True(first.Wait(Limit));
        var error = Assert.Throws<LinuxException>(() => _kernel.Mount("none", _store["two"], "aufs", MountFlags.ReadOnly, Data("rw")));
        second.Set();
        Assert.True(thread.Join(Limit));
        Assert.Equal(Errno.EEXIST, error.Errno);
        Assert.Equal(Errno.None, _kernel.TryUnmount(_store["one"], UnmountFlags.None));
    }

    [SkippableFact]
    public void Nothing_but_another_first_call_waits_for_a_mount()
    {
        var (other, third) = (_driver.CreateWritable("other", parent: "base").Commit(), _driver.CreateWritable("third", parent: "base").Commit());
        _driver.Mount(other, MountMode.ReadWrite);
        using var inside = new ManualResetEventSlim();
        using var go = new ManualResetEventSlim();
        _kernel.InsideXino = target =>
        {
            if (!target.Contains("/rw/", StringComparison.Ordinal)) return;
            inside.Set();
            Assert.True(go.Wait(Limit));
        };
        var slow = new Thread(() => _driver.Mount(_driver["rw"], MountMode.ReadWrite));
        slow.Start();
        Assert.True(inside.Wait(Limit));

        // While a first call is under way: look-ups, auplink and the unmount of another layer come to their ends.
        Assert.NotNull(_driver.Driver.FindMount(_driver.Locate(other)));
        _driver.Driver.Unmount(_driver.Locate(other), force: false);
        Assert.Null(_driver.Driver.FindMount(_driver.Locate(other)));
        var waiting = new Thread(() => _driver.Mount(third, MountMode.ReadWrite));
        waiting.Start();
        go.Set();
        Assert.True(slow.Join(Limit) && waiting.Join(Limit));
        var mounts = _kernel.Record.Events.Where(call => call.Call == AufsCall.Mount).ToList();
        Assert.All(mounts, call => Assert.Equal(0, call.Answer));
        Assert.DoesNotContain(mounts, call => mounts.Any(concurrent => concurrent != call && concurrent.Overlaps(call)));
        _driver.Unmount(_driver["rw"]);
        _driver.Unmount(third);
    }

    [SkippableFact]
    public void Simulated_kernel_takes_no_option_that_the_module_does_not()
    {
        Directory.CreateDirectory(_store["mnt"]);
        var branch = $"{_driver.Home}/base/diff";
        Errno Answer(string data, MountFlags flags = MountFlags.None) =>
            Assert.Throws<LinuxException>(() => _kernel.Mount("none", _store["mnt"], "aufs", flags, data)).Errno;
        const string xino = "xino=/dev/shm/aufs-test-strict.xino";
        foreach (var data in (string[])
            [
                $"br:{branch}=rx,{xino}", $"br:{branch},{xino}", $"br:{branch}=ro+wh,{xino},unknown", $"br:/nowhere=ro+wh,{xino}", $"br:{branch}=ro+wh:,{xino}", xino,
                $"br:{branch}=ro+wh:{branch}=ro+wh,{xino}", $"br:{branch}=ro+wh:{_driver.Home}=ro+wh,{xino}", $"append:{branch}=ro+wh,{xino}",
            ])
        {
            Assert.Equal(Errno.EINVAL, Answer(data));
        }

        Assert.Equal(Errno.EINVAL, Answer($"append:{branch}=ro+wh", MountFlags.Remount));
        Assert.Equal(Errno.E2BIG, Answer($"br:{string.Join(':', Enumerable.Repeat("/a=ro+wh", 90))},{xino}"));
        Assert.Empty(_kernel.Record.Violations);
    }

    public void Dispose()
    {
        _driver.Dispose();
        _store.Dispose();
        _scratch.Dispose();
        Assert.Empty(_kernel.Record.Violations);
        Assert.Empty(_kernel.Mounted);
    }

    private int Unmounts() => _kernel.Record.Events.Count(call => call.Call == AufsCall.Unmount);

    private ILayerDriver Open(string root, DriverOptions options) => new ModelledAufsDriver(
        new AufsDriver(
            root,
            options with
            {
                Warn = warning =>
                {
                    lock (_warnings) _warnings.Add(warning);
                },
            },
            kernel: _kernel),
        _kernel);
}
