using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.EndToEndTests.Cli;

/// <summary>Which driver a store gets, why, and that the main job is done with each.</summary>
public sealed class DriverTests
{
    private static readonly byte[] Tar = Tars.Of(("etc/", ""), ("etc/motd", "hello\n"));

    [SkippableTheory]
    [InlineData("overlay", false)]
    [InlineData("vfs", true)]
    public async Task Demo_does_the_whole_main_job(string driver, bool keep)
    {
        RequiredTiers.SkipUnlessRoot();
        await using var store = new CliStore();
        var run = (await store.RunAsync(["demo", "--driver", driver, "--json", .. keep ? ["--keep"] : Array.Empty<string>()])).Exits(0);
        Assert.Equal(driver, run.Json.GetProperty("driver").GetString());
        Assert.True(run.Json.GetProperty("equal").GetBoolean());
        var kept = run.Error.Split('\n').SingleOrDefault(static line => line.StartsWith("kept: ", StringComparison.Ordinal))?["kept: ".Length..];
        Assert.Equal(keep, kept is not null);
        if (kept is null) return;
        Assert.True(File.Exists($"{kept}/store/format.json"));
        Command.Run("rm", "-r", "--", kept);
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
    public async Task The_peers_name_of_overlay_is_taken_for_it()
    {
        RequiredTiers.SkipUnlessRoot();
        await using var store = new CliStore();
        (await store.FeedAsync(Tar, "apply", "--id", "base", "--driver", "overlay2")).Exits(0);
        Assert.Equal("overlay", (await store.RunAsync("info", "--json", "--driver", "overlay2")).Exits(0).Json.GetProperty("driver").GetString());
        Assert.Equal(Tar, (await store.RunAsync("diff", "base", "--driver", "overlay")).Exits(0).Bytes);
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

        await File.WriteAllTextAsync(config, "storage-actors { driver = vfs, retry.times = 7, trash.sweep-interval = 90s, socket = /elsewhere/node.sock }\n");
        var settings = (await store.RunAsync("info", "--json", "--config", config)).Exits(0).Json.GetProperty("facts").EnumerateArray()
            .Where(static fact => fact.GetProperty("group").GetString() == "settings").ToDictionary(static fact => fact.GetProperty("name").GetString()!, static fact => fact.GetProperty("value").GetString());
        Assert.Equal(("7", "00:01:30", "/elsewhere/node.sock"), (settings["retry.times"], settings["trash.sweep-interval"], settings["socket"]));
        string[] others = ["retry.pause", "retry.longest-pause", "layers.linger-retry", "layers.lease-check", "catalog.snapshot-every", "catalog.pack-from", "journal.provider-name", "journal.connection-string"];
        Assert.Empty(others.Except(settings.Keys));

        await File.WriteAllTextAsync(config, "storage-actors { driver = vfs, mount-options = [nodev] }\n");
        (await store.RunAsync("apply", "/dev/null", "--root", store["new"], "--config", config)).Exits(2);
        Assert.False(Directory.Exists(store["new"])); // What could not be made leaves nothing.
        var refused = await store.RunAsync("info", "--config", config);
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("mounts nothing", refused.Error, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData(FileSystemKind.Xfs)]
    [InlineData(FileSystemKind.Btrfs)]
    public async Task A_copied_layer_takes_on_disk_what_it_changes_where_blocks_are_shared(FileSystemKind kind)
    {
        const int large = 24 << 20, changed = 1 << 20;
        RequiredTiers.SkipUnlessRoot();
        using var disk = LoopFileSystem.Create(kind, 800L << 20);
        await using var store = new CliStore();
        string[] there = ["--root", $"{disk.Root}/store", "--driver", "vfs"];
        (await store.FeedAsync(Tars.Large(large >> 20), ["apply", "--id", "base", .. there])).Exits(0);
        var before = (await store.RunAsync(["df", "--json", .. there])).Exits(0).Json;
        (await store.FeedAsync(Tars.Of(("more", "1")), ["apply", "--id", "top", "--parent", "base", .. there])).Exits(0);
        (await store.RunAsync(["create", "--id", "rw", "--parent", "top", .. there])).Exits(0);
        var path = (await store.RunAsync(["mount", "rw", .. there])).Exits(0).Line;
        await using (var file = File.OpenWrite($"{path}/large"))
        {
            file.Position = 4 << 20;
            await file.WriteAsync(System.Security.Cryptography.RandomNumberGenerator.GetBytes(changed));
        }

        (await store.RunAsync(["umount", "rw", .. there])).Exits(0);
        Command.Run("sync", "-f", disk.Root);
        var after = (await store.RunAsync(["df", "--json", .. there])).Exits(0).Json;
        Assert.InRange(SizeOf("base"), large, large + (1 << 20));
        Assert.InRange(SizeOf("top"), 1, 1 << 20);
        Assert.InRange(SizeOf("rw"), changed, 2 * changed);
        // Two further copies of the large file, and not even one of them was taken from the file system.
        Assert.True(before.GetProperty("freeBytes").GetInt64() - after.GetProperty("freeBytes").GetInt64() < large);

        long SizeOf(string id) => after.GetProperty("layers").EnumerateArray().Single(layer => layer.GetProperty("layer").GetString() == id).GetProperty("bytes").GetInt64();
    }

    [SkippableTheory]
    [InlineData("vfs")]
    [InlineData("overlay")]
    public async Task Owners_that_the_kernel_refuses_are_tolerated_where_the_settings_say_so(string driver)
    {
        RequiredTiers.SkipUnlessRoot();
        await using var store = new CliStore();
        await File.WriteAllTextAsync(store["tolerant.conf"], "storage-actors.ignore-chown-errors = on\n");
        var image = $"oci:{RealImages.Debian()}";
        var refused = WithoutChown("import", image);
        Assert.Equal((1, true), (refused.ExitCode, refused.Error.Contains("chown", StringComparison.Ordinal)));
        Assert.Empty(store.Staged());
        (await store.RunAsync("gc", "--driver", driver)).Exits(0); // Which waits for what is deleted.
        Assert.Empty(store.Leftovers());

        Assert.Contains("owners are not kept", Tolerant("import", image, "--name", "debian").Error, StringComparison.Ordinal);
        var layer = Tolerant("layers", "--quiet").Output.Trim();
        Tolerant("create", "--image", "debian", "--id", "rw");
        var path = Tolerant("mount", "rw").Output.Trim();
        await File.WriteAllTextAsync($"{path}/made", "1");
        Assert.Equal("A /made\n", Tolerant("changes", "rw").Output);
        Tolerant("umount", "rw");
        Tolerant("check", "--full");
        Tolerant("diff", layer, "-o", store["diff.tar"]);
        Assert.Equal(Tolerant("inspect", layer, "--json").Output.Split("\"diffId\": \"")[1].Split('"')[0], Tars.Digest(await File.ReadAllBytesAsync(store["diff.tar"])));

        CommandResult Tolerant(params string[] arguments)
        {
            var result = WithoutChown([.. arguments, "--config", store["tolerant.conf"]]);
            Assert.True(result.ExitCode == 0, $"{arguments[0]}: exit {result.ExitCode}: {result.Error}");
            return result;
        }

        // As whoever has one id: root without the right to give files away.
        CommandResult WithoutChown(params string[] arguments) => Command.TryRun(
            Tools.Require("setpriv"), ["--bounding-set=-chown", CliProcess.Executable, .. arguments, "--root", store.Root, "--driver", driver])!;
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
