using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.EndToEndTests.Cli;

/// <summary>A store behind a store, as the command shows it: with an engine of its own, and through a node.</summary>
public sealed class AdditionalStoreTests
{
    [SkippableFact]
    public async Task Layers_of_another_store_are_shown_as_such_mounted_below_ones_own_and_never_removed()
    {
        RequiredTiers.SkipUnlessRoot();
        await using var other = new CliStore();
        (await other.FeedAsync(Tars.Of(("motd", "from elsewhere")), "apply", "--id", "shared", "--driver", "overlay")).Exits(0);
        await using var store = new CliStore();
        var config = store["node.conf"];
        await File.WriteAllTextAsync(config, $"storage-actors {{ driver = overlay, additional-stores = [\"{other.Root}\"] }}\n");

        var row = (await store.RunAsync("layers", "--config", config)).Exits(0).Lines[1];
        Assert.StartsWith("shared ", row, StringComparison.Ordinal);
        Assert.EndsWith(other.Root, row, StringComparison.Ordinal);
        var refused = await store.RunAsync("rm", "shared", "--config", config);
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains($"lies in the additional store {other.Root}", refused.Error, StringComparison.Ordinal);

        await store.StartNodeAsync("--config", config);
        Assert.Contains(other.Root, (await store.RunAsync("layers")).Exits(0).Text, StringComparison.Ordinal);
        Assert.Equal(other.Root, (await store.RunAsync("inspect", "shared")).Exits(0).Json.GetProperty("additionalStore").GetString());
        Assert.Matches(@"layers of additional stores +1", (await store.RunAsync("info")).Exits(0).Text);
        (await store.RunAsync("create", "--parent", "shared", "--id", "box")).Exits(0);
        var path = (await store.RunAsync("mount", "box")).Exits(0).Line;
        Assert.Equal("from elsewhere", await File.ReadAllTextAsync(Path.Combine(path, "motd")));
        (await store.RunAsync("umount", "box")).Exits(0);
        (await store.RunAsync("rm", "box")).Exits(0);
    }
}
