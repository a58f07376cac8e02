using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.EndToEndTests.Cli;

/// <summary>Which driver a store gets, why, and that the main job is done with each.</summary>
public sealed class DriverTests
{
    private static readonly byte[] Tar = Tars.Of(("etc/", ""), ("etc/motd", "hello\n"));

    [SkippableTheory]
    [InlineData("overlay")]
    [InlineData("vfs")]
    public async Task Demo_does_the_whole_main_job(string driver)
    {
        RequiredTiers.SkipUnlessRoot();
        await using var store = new CliStore();
        var report = (await store.RunAsync("demo", "--driver", driver, "--json")).Exits(0).Json;
        Assert.Equal(driver, report.GetProperty("driver").GetString());
        Assert.True(report.GetProperty("equal").GetBoolean());
    }

    [SkippableFact]
    public async Task Store_keeps_the_driver_that_it_was_made_with_and_says_so()
    {
        RequiredTiers.SkipUnlessRoot();
        await using var store = new CliStore();
        (await store.FeedAsync(Tar, "apply", "--id", "base", "--driver", "vfs")).Exits(0);
        Assert.Contains("vfs (asked for)", (await store.RunAsync("info", "--driver", "vfs")).Exits(0).Text, StringComparison.Ordinal);
        Assert.Contains("vfs (the store was made with it)", (await store.RunAsync("info")).Exits(0).Text, StringComparison.Ordinal);

        var refused = await store.RunAsync("info", "--driver", "overlay");
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("driver vfs, not overlay", refused.Error, StringComparison.Ordinal);
        Assert.Equal(Tar, (await store.RunAsync("diff", "base")).Exits(0).Bytes);
    }

    [SkippableFact]
    public async Task Settings_choose_the_driver()
    {
        RequiredTiers.SkipUnlessRoot();
        await using var store = new CliStore();
        var config = store["node.conf"];
        await File.WriteAllTextAsync(config, "storage-actors.driver = vfs\n");
        (await store.FeedAsync(Tar, "apply", "--id", "base", "--config", config)).Exits(0);
        var info = (await store.RunAsync("info", "--json", "--config", config)).Exits(0).Json;
        Assert.Equal("vfs", info.GetProperty("driver").GetString());
        Assert.True(Directory.Exists(Path.Combine(store.Root, "vfs/base/diff/etc")));

        await File.WriteAllTextAsync(config, "storage-actors { driver = vfs, mount-options = [nodev] }\n");
        var refused = await store.RunAsync("info", "--config", config);
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("mounts nothing", refused.Error, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Layers_alone_say_which_driver_it_is_and_layers_of_two_drivers_are_refused()
    {
        RequiredTiers.SkipUnlessRoot();
        await using var store = new CliStore();
        (await store.FeedAsync(Tar, "apply", "--id", "base", "--driver", "vfs")).Exits(0);
        KeepLayersAlone();
        var info = (await store.RunAsync("info")).Exits(0).Text;
        Assert.Contains("vfs (its layers are here)", info, StringComparison.Ordinal);

        KeepLayersAlone();
        Directory.CreateDirectory(Path.Combine(store.Root, "overlay/another"));
        var refused = await store.RunAsync("info");
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("layers of several drivers: overlay, vfs", refused.Error, StringComparison.Ordinal);

        void KeepLayersAlone()
        {
            foreach (var file in Directory.GetFiles(store.Root)) File.Delete(file);
        }
    }
}
