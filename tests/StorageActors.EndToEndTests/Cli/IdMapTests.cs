using System.Text.Json;
using StorageActors.Linux;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.EndToEndTests.Cli;

/// <summary>Maps of users and groups through the command, with a node and without.</summary>
public sealed class IdMapTests : IAsyncLifetime
{
    private readonly CliStore _store = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _store.DisposeAsync();

    [SkippableTheory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_container_writes_with_its_map_and_its_layer_comes_out_like_any_other(bool withNode)
    {
        RequiredTiers.SkipUnlessRoot();
        if (withNode) await _store.StartNodeAsync();
        (await _store.FeedAsync(Tars.Of(("a", "1")), "apply", "-", "--id", "base")).Exits(0);
        Skip.IfNot((await _store.RunAsync("info")).Exits(0).Text.Split('\n').Any(static line => line.Contains("layers with other ids", StringComparison.Ordinal) && line.Contains("yes", StringComparison.Ordinal)), "the kernel cannot shift owners here");
        (await _store.RunAsync("create", "--parent", "base", "--id", "box", "--uidmap", "0:100000:1000", "--uidmap", "1000:300000:1000", "--gidmap", "0:200000:65536")).Exits(0);
        (await _store.RunAsync("create", "--parent", "base", "--id", "plain", "--host-ids")).Exits(0);

        var shown = (await _store.RunAsync("inspect", "box")).Exits(0).Json;
        Assert.Equal("""[{"containerId":0,"hostId":100000,"size":1000},{"containerId":1000,"hostId":300000,"size":1000}]""", Compact(shown.GetProperty("uidmap")));
        Assert.Equal("""[{"containerId":0,"hostId":200000,"size":65536}]""", Compact(shown.GetProperty("gidmap")));
        Assert.False((await _store.RunAsync("inspect", "plain")).Exits(0).Json.TryGetProperty("uidmap", out _));

        foreach (var (layer, user, group) in new[] { ("box", 300_005u, 200_007u), ("plain", 1005u, 7u) })
        {
            var path = (await _store.RunAsync("mount", layer)).Exits(0).Line;
            Assert.Equal(layer == "box" ? (100_000u, 200_000u) : (0u, 0u), OwnerOf(Path.Combine(path, "a")));
            Write(Path.Combine(path, "new"), user, group);
            (await _store.RunAsync("umount", layer)).Exits(0);
        }

        var digests = new List<string>();
        foreach (var layer in new[] { "box", "plain" }) digests.Add((await _store.RunAsync("commit", layer, "--json")).Exits(0).Json.GetProperty("diffId").GetString()!);
        Assert.Equal(digests[0], digests[1]);

        var seen = (await _store.RunAsync("mount", "box", "--host-ids", "--lease", "one")).Exits(0).Line;
        Assert.Equal((1005u, 7u), OwnerOf(Path.Combine(seen, "new")));
        (await _store.RunAsync("mount", "box", "--uidmap", "0:5:2000", "--lease", "two")).Exits(1);
        (await _store.RunAsync("umount", "box")).Exits(0);
        seen = (await _store.RunAsync("mount", "box", "--uidmap", "0:5:2000")).Exits(0).Line;
        Assert.Equal((1010u, 12u), OwnerOf(Path.Combine(seen, "new")));
        var mount = Assert.Single((await _store.RunAsync("ps", "--json")).Exits(0).Json.EnumerateArray());
        Assert.Equal(5, mount.GetProperty("ids").GetProperty("gidmap")[0].GetProperty("hostId").GetInt32());
        (await _store.RunAsync("umount", "box")).Exits(0);
        Assert.Equal("", (await _store.RunAsync("check", "--full")).Exits(0).Text.Trim());
    }

    [SkippableTheory]
    [InlineData("--uidmap", "0:1")]
    [InlineData("--gidmap", "0:1:5,3:100:1")]
    [InlineData("--uidmap", "0:1:5", "--host-ids")]
    public async Task What_is_no_map_is_wrong_usage(params string[] options)
    {
        RequiredTiers.SkipUnlessRoot();
        (await _store.RunAsync(["create", .. options])).Exits(2);
        (await _store.RunAsync(["mount", "some", .. options])).Exits(2);
    }

    [SkippableFact]
    public async Task Driver_without_shifts_refuses_a_map_and_says_what_to_do()
    {
        RequiredTiers.SkipUnlessRoot();
        var refused = (await _store.RunAsync("create", "--driver", "vfs", "--uidmap", "0:100000:65536")).Exits(1);
        Assert.Contains("driver vfs", refused.Error, StringComparison.Ordinal);
        Assert.Contains("Use host ids", refused.Error, StringComparison.Ordinal);
        Assert.Empty(_store.Staged());
        (await _store.RunAsync("gc", "--driver", "vfs")).Exits(0); // Which waits for what is deleted.
        Assert.Empty(_store.Leftovers());
    }

    private static string Compact(JsonElement element) => JsonSerializer.Serialize(element);

    private static (uint User, uint Group) OwnerOf(string path) => Libc.Stat(path, AtFlags.SymlinkNoFollow) is var status ? (status.UserId, status.GroupId) : default;

    private static void Write(string path, uint user, uint group)
    {
        File.WriteAllText(path, "1");
        using var file = Libc.Open(path, OpenFlags.ReadWrite);
        Libc.FChown(file, user, group);
        Libc.FUtimens(file, default, default);
    }
}
