using StorageActors.DriverContractTests.Harness;
using StorageActors.Drivers;
using StorageActors.Drivers.Overlay;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.DriverContractTests;

/// <summary>Layers that are mounted again are looked through only if something in them has changed; what has is seen.</summary>
public sealed class PlainLayersTests : IDisposable
{
    private static readonly DateTimeOffset Later = DateTimeOffset.UtcNow.AddHours(1);

    private readonly TempDirectory _store = new();

    public void Dispose() => _store.Dispose();

    [Fact]
    public void What_was_seen_holds_until_something_changes()
    {
        var (plain, layer) = (new PlainLayers(), Make());
        Note(plain, layer);
        Assert.True(IsStill(plain, layer));
        Assert.True(plain.Contains(layer));
        plain.Forget(layer);
        Assert.False(IsStill(plain, layer));
        Assert.False(plain.Contains(layer));
    }

    [Theory]
    [InlineData("a mark")]
    [InlineData("in the mount point")]
    [InlineData("no mount point")]
    [InlineData("another layer")]
    public void What_was_seen_does_not_hold_after(string change)
    {
        var (plain, layer) = (new PlainLayers(), Make());
        Note(plain, layer);
        switch (change)
        {
            case "a mark": File.WriteAllText(layer.Detached, "boot"); break;
            case "in the mount point": File.WriteAllText(layer.Merged + "/stray", ""); break;
            case "no mount point": Directory.Delete(layer.Merged); break;
            default:
                Directory.Move(layer.Path, layer.Path + ".old");
                Make();
                break;
        }

        Assert.False(IsStill(plain, layer));
    }

    [Fact]
    public void What_changed_just_now_is_not_trusted()
    {
        var (plain, layer) = (new PlainLayers(), Make());
        Note(plain, layer, Libc.Stat(layer.Path).ChangeTime.Seconds + 2);
        Assert.False(plain.Contains(layer));
    }

    [SkippableTheory]
    [InlineData("the kernel's mark of a volatile mount")]
    [InlineData("our mark of another boot")]
    public void Writes_that_may_be_lost_are_found_out_at_each_mount(string mark)
    {
        using var driver = Open();
        var (layer, directory) = MountedTwice(driver);
        if (mark.StartsWith("our", StringComparison.Ordinal)) File.WriteAllText(directory.Volatile, "another boot");
        else Directory.CreateDirectory(directory.Work + "/work/incompat/volatile");
        for (var round = 0; round < 2; round++)
        {
            var error = Assert.Throws<PermanentDriverException>(() => driver.Driver.Mount(driver.Request(layer, MountMode.ReadWrite))).Error;
            Assert.Equal(StorageErrorCode.Damaged, error.Code);
            Assert.Contains("volatile", error.Message, StringComparison.Ordinal);
        }

        Assert.Empty(MountTable.ReadBelow(_store.Path));
    }

    [SkippableFact]
    public void What_was_written_into_the_bare_mount_point_between_two_mounts_goes_beside_it()
    {
        using var driver = Open();
        var (layer, directory) = MountedTwice(driver);
        File.WriteAllText(directory.Merged + "/stray", "1");
        using (driver.Mounted("rw", MountMode.ReadWrite)) Assert.False(File.Exists(directory.Merged + "/stray"));
        Assert.Equal("1", File.ReadAllText(directory.Path + "/stray-1/stray"));
        Assert.Null(driver.Driver.FindMount(driver.Locate(layer)));
    }

    [SkippableFact]
    public void A_volatile_mount_between_two_others_is_in_doubt_until_the_second_has_synced()
    {
        using var driver = Open();
        SkipUnlessVolatile(driver);
        var (_, directory) = MountedTwice(driver);
        using (var mount = driver.Mounted("rw", MountMode.ReadWrite, "volatile")) File.WriteAllText(mount.Path + "/a", "1");
        Assert.True(VolatileMark.IsSet(directory));
        for (var round = 0; round < 2; round++)
        {
            using (var mount = driver.Mounted("rw", MountMode.ReadWrite)) Assert.True(File.Exists(mount.Path + "/a"));
            Assert.False(VolatileMark.IsSet(directory));
        }
    }

    [SkippableTheory]
    [InlineData("lazy unmount")]
    [InlineData("read-only mount")]
    [InlineData("mount by a client")]
    public void After_another_kind_of_mount_a_layer_is_mounted_as_ever(string between)
    {
        using var driver = Open();
        var (layer, directory) = MountedTwice(driver);
        switch (between)
        {
            case "lazy unmount":
                driver.Driver.Mount(driver.Request(layer, MountMode.ReadWrite));
                using (File.OpenRead(directory.Merged + "/below")) driver.Driver.Unmount(driver.Locate(layer), force: true);
                break;
            case "read-only mount":
                using (var mount = driver.Mounted("rw", MountMode.ReadOnly)) Assert.True(File.Exists(mount.Path + "/below"));
                break;
            default:
                Assert.NotEmpty(driver.Driver.Describe(driver.Request(layer, MountMode.ReadWrite)));
                Assert.False(((OverlayDriver)driver.Driver).IsKnownPlain(driver.Locate(layer)));
                break;
        }

        for (var round = 0; round < 2; round++)
        {
            using var mount = driver.Mounted("rw", MountMode.ReadWrite);
            File.WriteAllText(mount.Path + "/above", "1");
            Assert.True(File.Exists(mount.Path + "/below"));
        }

        Assert.Empty(MountTable.ReadBelow(_store.Path));
    }

    [SkippableFact]
    public void Nothing_of_a_removed_layer_stays_open()
    {
        using var driver = Open();
        var layer = driver.Create("only-here-it-is-open", parent: null).Commit();
        for (var round = 0; round < 3; round++) driver.Mounted("only-here-it-is-open", MountMode.ReadOnly).Dispose();
        driver.Driver.Retire(driver.Locate(layer));
        // By the end of the path alone: what is opened by way of a mount of our own begins at that.
        Assert.DoesNotContain(OpenFiles(), static file => file.Contains("/overlay/only-here-it-is-open/", StringComparison.Ordinal));
    }

    private static IEnumerable<string> OpenFiles() =>
        Directory.GetFileSystemEntries("/proc/self/fd").Select(static link => new FileInfo(link).LinkTarget).OfType<string>();

    /// <summary>By descriptors, with the marks of the machine's root: the other ways look each time.</summary>
    private static void AssertKnown(DriverUnderTest driver, LayerUnderTest layer)
    {
        if (driver.Driver is OverlayDriver { NotesPlain: true } overlay) Assert.True(overlay.IsKnownPlain(driver.Locate(layer)));
    }

    private static void SkipUnlessVolatile(DriverUnderTest driver) =>
        Skip.IfNot(driver.Driver.Capabilities.HasFlag(DriverCapabilities.VolatileMounts), "no volatile mounts here");

    private DriverUnderTest Open()
    {
        RequiredTiers.SkipUnlessRoot();
        return new DriverUnderTest(_store.Path, static (root, options) => DriverFactory.Open("overlay", root, options with { Time = new Clock() }), 500);
    }

    private (LayerUnderTest Layer, LayerDirectory Directory) MountedTwice(DriverUnderTest driver)
    {
        driver.Create("base", parent: null).Write("below", "1");
        var layer = driver.CreateWritable("rw", parent: "base").Commit();
        var directory = LayerDirectory.Of(driver.Locate(layer));
        for (var round = 0; round < 2; round++)
        {
            using var mount = driver.Mounted("rw", MountMode.ReadWrite);
            Assert.True(File.Exists(mount.Path + "/below"));
        }

        LetTimePass(directory);
        AssertKnown(driver, layer);
        return (layer, directory);
    }

    private LayerDirectory Make()
    {
        var layer = new LayerDirectory(LayerId.Parse("layer"), _store["layer"]);
        Directory.CreateDirectory(layer.Merged);
        LetTimePass(layer);
        return layer;
    }

    /// <summary>Until the file system gives another time than that of the last change, as it does once in some milliseconds.</summary>
    private void LetTimePass(LayerDirectory layer)
    {
        var since = (Libc.Stat(layer.Path).ChangeTime, Libc.Stat(layer.Merged).ChangeTime);
        var probe = _store["probe"];
        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                File.Delete(probe);
                File.WriteAllText(probe, "");
                var now = Libc.Stat(probe).ChangeTime;
                return now != since.Item1 && now != since.Item2;
            },
            TimeSpan.FromMinutes(1)));
    }

    private static void Note(PlainLayers plain, LayerDirectory layer, long? now = null) =>
        plain.Note(layer, now ?? Later.ToUnixTimeSeconds(), Libc.Stat(layer.Path), Libc.Stat(layer.Merged));

    private static bool IsStill(PlainLayers plain, LayerDirectory layer)
    {
        Libc.TryStat(layer.Merged, out var point);
        return plain.IsStill(layer, point);
    }

    private sealed class Clock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => Later;
    }
}
