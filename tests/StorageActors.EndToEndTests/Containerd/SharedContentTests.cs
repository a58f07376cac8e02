using StorageActors.Containerd.Wire;
using StorageActors.EndToEndTests.Cli;
using StorageActors.Protocol;
using Xunit;
using static StorageActors.EndToEndTests.Containerd.OpenDoor;

namespace StorageActors.EndToEndTests.Containerd;

/// <summary>Content that came into the store on another way than through the door.</summary>
public sealed class SharedContentTests
{
    private const string Ref = "containerd.io/snapshot.ref";
    private const int AlreadyExists = 6, FailedPrecondition = 9;

    [SkippableFact]
    public async Task What_was_imported_need_not_be_fetched_and_stays_the_importers()
    {
        await using var door = await OpenAsync();
        var layers = await ImportAsync(door, Tars.Of(("below", "1")), Tars.Of(("above", "2")));
        var chains = layers.Select(static layer => layer.ChainId!.Value.Value).ToList();
        var names = new List<string>();
        foreach (var chain in chains)
        {
            // As containerd does it: the answer says that there is one, and a list says what it is called.
            var parent = names.LastOrDefault("");
            Assert.Equal(AlreadyExists, await door.StatusAsync("Prepare", Make($"default/1/extract {chain}", parent, (Ref, chain))));
            Assert.Equal(AlreadyExists, await door.StatusAsync("Prepare", Make($"other/2/extract {chain}", parent, (Ref, chain))));
            var found = Assert.Single(await door.ListAsync($"labels.\"{Ref}\"=={chain},parent==\"{parent}\""));
            Assert.Equal((SnapshotKind.Committed, parent), (found.Kind, found.Parent));
            names.Add(found.Name);
        }

        Assert.Equal(AlreadyExists, await door.StatusAsync("Prepare", Make(names[1])));
        Assert.Equal(FailedPrecondition, await door.StatusAsync("Mounts", Key(names[1])));
        Assert.Equal(FailedPrecondition, await door.StatusAsync("Commit", Commit(names[1], "other")));
        var usage = await door.CallAsync<UsageResponse>("Usage", Key(names[1]));
        Assert.Equal(2, usage.Inodes);
        var mounts = await door.PrepareAsync("box", names[1]);
        Assert.Equal("12", door.Mounted(mounts, static path => File.ReadAllText(Path.Combine(path, "below")) + File.ReadAllText(Path.Combine(path, "above"))));
        Assert.Equal("1", door.Mounted(await door.ViewAsync("view", names[0]), static path => File.ReadAllText(Path.Combine(path, "below"))));

        await door.RestartAsync();

        Assert.Equal(mounts.ToString(), (await door.CallAsync<MountsResponse>("Mounts", Key("box"))).Mounts.ToString());
        foreach (var name in names) Assert.Equal(FailedPrecondition, await door.StatusAsync("Remove", Key(name)));
        var store = door.Engine.Client;
        Assert.Equal(StorageErrorCode.InUse, (await Assert.ThrowsAsync<StorageException>(() => store.RemoveAsync(layers[1].Id))).Error.Code);
        await door.CommitAsync("box", "committed");
        foreach (var name in (string[])["view", "committed", names[1], names[0]]) await door.RemoveAsync(name);
        Assert.Empty(await door.ListAsync());
        Assert.Equal(layers.Select(static layer => layer.Id), (await store.ListLayersAsync()).Select(static layer => layer.Id));
        await store.RemoveAsync(layers[1].Id);
    }

    [SkippableFact]
    public async Task Content_on_another_parent_or_of_another_door_is_not_offered()
    {
        await using var door = await OpenAsync();
        var layers = await ImportAsync(door, Tars.Of(("below", "1")), Tars.Of(("above", "2")));
        var (lower, upper) = (layers[0].ChainId!.Value.Value, layers[1].ChainId!.Value.Value);
        await door.PrepareAsync("a");
        await door.CommitAsync("a", "unlike");
        await door.PrepareAsync("upper on nothing", "", (Ref, upper));
        await door.PrepareAsync("upper on another", "unlike", (Ref, upper));
        await door.PrepareAsync("lower on another", "unlike", (Ref, lower));
        await door.PrepareAsync("nobody's", "", (Ref, "sha256:" + new string('0', 64)));
        await door.PrepareAsync("no digest", "", (Ref, "anything"));

        var theirs = (await ImportAsync(door, Tars.Of(("theirs", "1"))))[0];
        await door.Engine.Client.Channel.AskAsync<CatalogProtocol.Resolved>(
            new CatalogProtocol.ChangeLabels(theirs.Id, new Dictionary<string, string>(StringComparer.Ordinal) { ["storage-actors/docker.endpoint"] = "docker" }));
        await door.PrepareAsync("theirs", "", (Ref, theirs.ChainId!.Value.Value));
        Assert.Equal(["unlike"], (await door.ListAsync("kind==committed")).Select(static info => info.Name));
    }

    [SkippableFact]
    public async Task A_client_that_asks_for_the_same_eight_times_at_once_gets_one()
    {
        await using var door = await OpenAsync();
        var chain = (await ImportAsync(door, Tars.Of(("f", "1"))))[0].ChainId!.Value.Value;
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(index => door.StatusAsync("Prepare", Make($"k{index}", "", (Ref, chain)))));
        Assert.All(answers, static status => Assert.Equal(AlreadyExists, status));
        Assert.Single(await door.ListAsync());
    }

    private static async Task<IReadOnlyList<LayerRecord>> ImportAsync(OpenDoor door, params IReadOnlyList<byte[]> tars)
    {
        var items = tars.Select((tar, index) =>
        {
            var file = door[$"{Tars.Digest(tar)[7..]}.tar"];
            File.WriteAllBytes(file, tar);
            return new StoreProtocol.ChainItem(BlobSource.File(file), new StoreProtocol.LayerSpec(), new StoreProtocol.Expectations());
        }).ToList();
        return [.. (await door.Engine.Client.ApplyAsync(new StoreProtocol.Apply(null, items))).Select(static applied => applied.Layer)];
    }
}
