using Google.Protobuf.WellKnownTypes;
using StorageActors.Containerd.Wire;
using StorageActors.Protocol;
using StorageActors.TestSupport;
using Xunit;
using static StorageActors.EndToEndTests.Containerd.OpenDoor;

namespace StorageActors.EndToEndTests.Containerd;

/// <summary>Each row of what containerd's own snapshotter answers.</summary>
public sealed class SnapshotterTests
{
    private const int InvalidArgument = 3, NotFound = 5, AlreadyExists = 6, FailedPrecondition = 9;

    [SkippableFact]
    public async Task What_is_not_there_is_not_found()
    {
        await using var door = await OpenAsync();
        foreach (var method in (string[])["Stat", "Mounts", "Usage", "Remove"]) Assert.Equal(NotFound, await door.StatusAsync(method, Key("nobody")));
        Assert.Equal(NotFound, await door.StatusAsync("Update", new UpdateSnapshotRequest { Info = new SnapshotInfo { Name = "nobody" } }));
        Assert.Equal(NotFound, await door.StatusAsync("Commit", Commit("nobody", "name")));
        Assert.Equal(NotFound, await door.StatusAsync("Prepare", Make("key", "nobody")));
        Assert.Equal(NotFound, await door.StatusAsync("View", Make("key", "nobody")));
        Assert.Equal(NotFound, await door.StatusAsync("Stat", Key("key")));
        Assert.Equal(NotFound, await door.StatusAsync("Stat", Key("")));
    }

    [SkippableFact]
    public async Task Keys_are_any_text_and_taken_once()
    {
        await using var door = await OpenAsync();
        foreach (var key in (string[])["default/7/extract-753235664-4WkS sha256:ab", "ключ\n\t%20", new('k', 4096), "a/../../b", "{}"])
        {
            await door.PrepareAsync(key);
            Assert.Equal(key, (await door.StatAsync(key)).Name);
            Assert.Equal(AlreadyExists, await door.StatusAsync("Prepare", Make(key)));
            Assert.Equal(AlreadyExists, await door.StatusAsync("View", Make(key)));
            await door.CommitAsync(key, "done " + key);
            Assert.Equal(NotFound, await door.StatusAsync("Stat", Key(key)));
            Assert.Equal(AlreadyExists, await door.StatusAsync("Prepare", Make("done " + key)));
            await door.RemoveAsync("done " + key);
        }

        foreach (var method in (string[])["Prepare", "View"]) Assert.Equal(InvalidArgument, await door.StatusAsync(method, Make("")));
        Assert.Empty(await door.ListAsync());
        await door.PrepareAsync("a");
        await door.CommitAsync("a", "committed");
        await door.ViewAsync("view", "committed");
        foreach (var key in (string[])["committed", "view"])
        {
            foreach (var method in (string[])["Prepare", "View"]) Assert.Equal(AlreadyExists, await door.StatusAsync(method, Make(key, "committed")));
        }
    }

    [SkippableFact]
    public async Task Snapshots_stand_on_committed_ones_alone_and_those_stay_while_they_are_needed()
    {
        await using var door = await OpenAsync();
        await door.PrepareAsync("base");
        foreach (var method in (string[])["Prepare", "View"]) Assert.Equal(InvalidArgument, await door.StatusAsync(method, Make("child", "base")));
        await door.CommitAsync("base", "layer");
        await door.ViewAsync("view", "layer");
        foreach (var method in (string[])["Prepare", "View"]) Assert.Equal(InvalidArgument, await door.StatusAsync(method, Make("child", "view")));
        Assert.Equal(NotFound, await door.StatusAsync("Stat", Key("child")));
        Assert.Equal(FailedPrecondition, await door.StatusAsync("Remove", Key("layer")));
        var refusal = await door.Client.CallAsync(Snapshots + "Remove", Google.Protobuf.MessageExtensions.ToByteArray(Key("layer")));
        Assert.Contains("remove", refusal.Message, StringComparison.Ordinal);
        await door.RemoveAsync("view");
        await door.RemoveAsync("layer");
        Assert.Empty(await door.ListAsync());
    }

    [SkippableFact]
    public async Task A_commit_takes_an_active_snapshot_and_gives_it_labels_and_times_of_its_own()
    {
        await using var door = await OpenAsync();
        await door.PrepareAsync("a", "", ("old", "1"), ("empty", ""));
        Assert.Equal(["old"], (await door.StatAsync("a")).Labels.Keys);
        await door.PrepareAsync("b");
        await door.CommitAsync("a", "one", "", ("new", "2"));
        Assert.Equal(AlreadyExists, await door.StatusAsync("Commit", Commit("b", "one")));
        Assert.Equal(SnapshotKind.Active, (await door.StatAsync("b")).Kind);
        var one = await door.StatAsync("one");
        Assert.Equal((SnapshotKind.Committed, "", "2"), (one.Kind, one.Parent, Assert.Single(one.Labels).Value));
        Assert.Equal(one.CreatedAt, one.UpdatedAt);
        Assert.Equal(FailedPrecondition, await door.StatusAsync("Commit", Commit("one", "two")));
        Assert.Equal(FailedPrecondition, await door.StatusAsync("Mounts", Key("one")));
        await door.ViewAsync("v", "one");
        Assert.Equal(FailedPrecondition, await door.StatusAsync("Commit", Commit("v", "two")));
        Assert.Equal(InvalidArgument, await door.StatusAsync("Commit", Commit("b", "")));
        Assert.Equal(InvalidArgument, await door.StatusAsync("Prepare", Make("c", "", ("storage-actors/x", "y"))));
    }

    [SkippableFact]
    public async Task Mounts_show_what_was_written_and_views_take_no_writes()
    {
        await using var door = await OpenAsync();
        var first = await door.PrepareAsync("first");
        Assert.Equal("overlay", first.Single().Type);
        await File.WriteAllTextAsync(Path.Combine(UpperOf(first), "a"), "1");
        await door.CommitAsync("first", "one");
        var second = await door.PrepareAsync("second", "one");
        Assert.Equal(second.ToString(), (await door.CallAsync<MountsResponse>("Mounts", Key("second"))).Mounts.ToString());
        Assert.Equal("1", door.Mounted(second, static path =>
        {
            File.WriteAllText(Path.Combine(path, "b"), "2");
            return File.ReadAllText(Path.Combine(path, "a"));
        }));
        await door.CommitAsync("second", "two");

        Assert.Empty(Names(await door.ViewAsync("v0")));
        var single = await door.ViewAsync("v1", "one");
        Assert.Equal(("bind", true), (single.Single().Type, single.Single().Options.Contains("ro")));
        Assert.Equal(["a"], Names(single));
        var several = await door.ViewAsync("v2", "two");
        Assert.DoesNotContain(several.Single().Options, static option => option.StartsWith("upperdir=", StringComparison.Ordinal));
        Assert.Equal(["a", "b"], Names(several));
        Assert.Throws<IOException>(() => door.Mounted(several, static path => File.Create(Path.Combine(path, "c")).Length));

        string[] Names(IReadOnlyList<Mount> mounts) =>
            door.Mounted(mounts, static path => Directory.EnumerateFileSystemEntries(path).Select(static name => Path.GetFileName(name)!).Order(StringComparer.Ordinal).ToArray());
    }

    [SkippableFact]
    public async Task A_root_directory_has_the_mode_of_a_new_one_or_the_owner_and_mode_of_the_one_below()
    {
        await using var door = await OpenAsync();
        var upper = UpperOf(await door.PrepareAsync("a"));
        Assert.Equal("755 0:0", Command.Run("stat", "-c", "%a %u:%g", upper).Trim());
        Command.Run("chown", "5:6", upper);
        Command.Run("chmod", "751", upper);
        await door.CommitAsync("a", "one");
        Assert.Equal("751 5:6", Command.Run("stat", "-c", "%a %u:%g", UpperOf(await door.PrepareAsync("b", "one"))).Trim());
    }

    [SkippableFact]
    public async Task A_list_of_more_than_a_hundred_comes_in_several_messages_and_is_whole()
    {
        await using var door = await OpenAsync();
        var keys = Enumerable.Range(0, 101).Select(static index => $"k{index:D3}").ToList();
        await Parallel.ForEachAsync(keys, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (key, _) => await door.PrepareAsync(key));
        var answer = await door.Client.CallAsync(Snapshots + "List", []);
        Assert.Equal(2, answer.Messages.Count);
        Assert.Equal(keys, (await door.ListAsync()).Select(static info => info.Name).Order(StringComparer.Ordinal));
        Assert.Equal("k007", Assert.Single(await door.ListAsync("name~=/7$/,name~=/^k00/")).Name);
    }

    [SkippableFact]
    public async Task Labels_of_a_committed_snapshot_may_change_and_stay_changed()
    {
        await using var door = await OpenAsync();
        await door.PrepareAsync("a");
        await door.CommitAsync("a", "one", "", ("x", "1"));
        var request = new UpdateSnapshotRequest { Info = new SnapshotInfo { Name = "one", Labels = { ["x"] = "2" } }, UpdateMask = new FieldMask { Paths = { "labels.x" } } };
        var changed = (await door.CallAsync<SnapshotInfoResponse>("Update", request)).Info;
        Assert.Equal((SnapshotKind.Committed, "2"), (changed.Kind, changed.Labels["x"]));
        await door.RestartAsync();
        Assert.Equal(changed, await door.StatAsync("one"));
    }

    [SkippableFact]
    public async Task An_active_snapshot_without_a_parent_may_be_committed_onto_one()
    {
        await using var door = await OpenAsync();
        await File.WriteAllTextAsync(Path.Combine(UpperOf(await door.PrepareAsync("base")), "below"), "1");
        await File.WriteAllTextAsync(Path.Combine(UpperOf(await door.PrepareAsync("top")), "above"), "2");
        Assert.Equal(NotFound, await door.StatusAsync("Commit", Commit("top", "two", "one")));
        Assert.Equal(FailedPrecondition, await door.StatusAsync("Commit", Commit("top", "two", "base")));
        await door.CommitAsync("base", "one");
        await door.PrepareAsync("other", "one");
        await door.CommitAsync("top", "two", "one");
        Assert.Equal(InvalidArgument, await door.StatusAsync("Commit", Commit("other", "three", "two")));
        await door.CommitAsync("other", "three", "one");
        Assert.Equal("one", (await door.StatAsync("two")).Parent);
        Assert.Equal(FailedPrecondition, await door.StatusAsync("Remove", Key("one")));
        var mounts = await door.PrepareAsync("c", "two");
        Assert.Equal("12", door.Mounted(mounts, static path => File.ReadAllText(Path.Combine(path, "below")) + File.ReadAllText(Path.Combine(path, "above"))));
        await door.RestartAsync();
        Assert.Equal(mounts.ToString(), (await door.CallAsync<MountsResponse>("Mounts", Key("c"))).Mounts.ToString());
    }

    [SkippableFact]
    public async Task An_update_changes_labels_as_its_mask_says_and_nothing_else()
    {
        await using var door = await OpenAsync();
        await door.PrepareAsync("a", "", ("x", "1"), ("y.z", "2"));
        var before = await door.StatAsync("a");
        Assert.Equal("x=1 y.z=3", await UpdateAsync(("y.z", "3"), "labels.y.z"));
        Assert.Equal("x=1", await UpdateAsync(("other", "9"), "labels.y.z"));
        Assert.Equal("x=1 y.z=2", await UpdateAsync(("y.z", "2"), "labels.y.z"));
        Assert.Equal("x=1", await UpdateAsync(("y.z", ""), "labels.y.z"));
        Assert.Equal("w=4", await UpdateAsync(("w", "4"), "labels"));
        Assert.Equal("v=5", await UpdateAsync(("v", "5")));
        Assert.Equal(InvalidArgument, await door.StatusAsync("Update", Request(("v", "6"), "parent")));
        Assert.Equal(InvalidArgument, await door.StatusAsync("Update", new UpdateSnapshotRequest()));
        var after = await door.StatAsync("a");
        Assert.Equal((before.Kind, before.Parent, before.CreatedAt), (after.Kind, after.Parent, after.CreatedAt));
        Assert.True(after.UpdatedAt.ToDateTimeOffset() > before.UpdatedAt.ToDateTimeOffset());

        async Task<string> UpdateAsync((string, string) label, params string[] paths)
        {
            var info = (await door.CallAsync<SnapshotInfoResponse>("Update", Request(label, paths))).Info;
            Assert.Equal(info, await door.StatAsync("a"));
            return string.Join(' ', info.Labels.OrderBy(static one => one.Key, StringComparer.Ordinal).Select(static one => $"{one.Key}={one.Value}"));
        }

        static UpdateSnapshotRequest Request((string Key, string Value) label, params string[] paths) => new()
        {
            Info = new SnapshotInfo { Name = "a", Parent = "ignored", Kind = SnapshotKind.View, Labels = { [label.Key] = label.Value } },
            UpdateMask = paths.Length == 0 ? null : new FieldMask { Paths = { paths } },
        };
    }

    [SkippableFact]
    public async Task Usage_is_measured_while_a_snapshot_is_active_and_kept_when_it_is_committed()
    {
        await using var door = await OpenAsync();
        var upper = UpperOf(await door.PrepareAsync("a"));
        Assert.Equal((4096L, 1L), await UsageAsync("a"));
        await File.WriteAllBytesAsync(Path.Combine(upper, "f"), new byte[10_000]);
        var active = await UsageAsync("a");
        Assert.Equal(2, active.Inodes);
        Assert.True(active.Size >= 4096 + 10_000);
        await door.CommitAsync("a", "one");
        Assert.Equal(active, await UsageAsync("one"));
        await door.ViewAsync("v", "one");
        Assert.Equal((0L, 0L), await UsageAsync("v"));
        await door.PrepareAsync("b", "one");
        Assert.Equal((4096L, 1L), await UsageAsync("b"));

        async Task<(long Size, long Inodes)> UsageAsync(string key)
        {
            var usage = await door.CallAsync<UsageResponse>("Usage", Key(key));
            return (usage.Size, usage.Inodes);
        }
    }

    [SkippableFact]
    public async Task A_list_has_what_any_filter_accepts_and_nothing_that_was_made_elsewhere()
    {
        await using var door = await OpenAsync();
        await door.Engine.Client.CreateAsync(null, new StoreProtocol.LayerSpec(null, ["containerd:not-really"]));
        for (var index = 0; index < 3; index++) await door.PrepareAsync($"k{index}", "", ("n", $"{index}"));
        await door.CommitAsync("k0", "c0", "", ("n", "0"));
        await door.ViewAsync("v0", "c0");
        Assert.Equal(["c0", "k1", "k2", "v0"], await NamesAsync());
        Assert.Equal(["k1", "k2"], await NamesAsync("kind==active"));
        Assert.Equal(["k2"], await NamesAsync("kind==active,labels.n==2"));
        Assert.Equal(["c0", "k2"], await NamesAsync("kind==committed", "name==k2"));
        Assert.Equal(["v0"], await NamesAsync("parent==c0"));
        Assert.Equal(InvalidArgument, await door.StatusAsync("List", new ListSnapshotsRequest { Filters = { "kind=" } }));
        await door.CallAsync<Empty>("Cleanup", new CleanupRequest());

        async Task<string[]> NamesAsync(params string[] filters) => [.. (await door.ListAsync(filters)).Select(static info => info.Name).Order(StringComparer.Ordinal)];
    }

    [SkippableFact]
    public async Task Content_that_is_there_need_not_be_fetched_again()
    {
        const string label = "containerd.io/snapshot.ref";
        await using var door = await OpenAsync();
        await door.PrepareAsync("ns1/1/extract", "", (label, "sha256:aa"));
        await door.CommitAsync("ns1/1/extract", "ns1/2/sha256:aa", "", (label, "sha256:aa"));
        Assert.Equal(AlreadyExists, await door.StatusAsync("Prepare", Make("ns2/3/extract", "", (label, "sha256:aa"))));
        var found = Assert.Single(await door.ListAsync($"labels.\"{label}\"==sha256:aa,parent==\"\""));
        Assert.Equal(("ns1/2/sha256:aa", SnapshotKind.Committed), (found.Name, found.Kind));
        await door.PrepareAsync("ns2/3/extract", "ns1/2/sha256:aa", (label, "sha256:aa"));   // On another parent it is another layer.
    }

    [SkippableFact]
    public async Task Everything_is_there_after_a_restart()
    {
        await using var door = await OpenAsync();
        await door.PrepareAsync("a", "", ("x", "1"));
        await door.CommitAsync("a", "one", "", ("y", "2"));
        var mounts = await door.PrepareAsync("b", "one");
        await door.ViewAsync("v", "one");
        var before = (await door.ListAsync()).Select(static info => info.ToString()).Order(StringComparer.Ordinal).ToList();
        await door.RestartAsync();
        Assert.Equal(before, (await door.ListAsync()).Select(static info => info.ToString()).Order(StringComparer.Ordinal));
        Assert.Equal(mounts.ToString(), (await door.CallAsync<MountsResponse>("Mounts", Key("b"))).Mounts.ToString());
        await door.CommitAsync("b", "two");
    }

    [SkippableFact]
    public async Task A_store_without_overlayfs_serves_too()
    {
        await using var door = await OpenAsync("vfs");
        await File.WriteAllTextAsync(Path.Combine(UpperOf(await door.PrepareAsync("a")), "f"), "1");
        await door.CommitAsync("a", "one");
        await File.WriteAllTextAsync(Path.Combine(UpperOf(await door.PrepareAsync("b", "one")), "g"), "2");
        await door.CommitAsync("b", "two");
        Assert.Equal("12", door.Mounted(await door.ViewAsync("v", "two"), static path => File.ReadAllText(Path.Combine(path, "f")) + File.ReadAllText(Path.Combine(path, "g"))));
        await door.PrepareAsync("c");
        Assert.Equal(FailedPrecondition, await door.StatusAsync("Commit", Commit("c", "three", "two")));
    }

    [SkippableFact]
    public async Task Everybody_sees_who_holds_a_snapshot_and_leaves_it_alone()
    {
        await using var door = await OpenAsync();
        await door.PrepareAsync("a");
        await door.CommitAsync("a", "default/1/base");
        await door.PrepareAsync("default/2/a box", "default/1/base");
        await door.ViewAsync("default/3/look", "default/1/base");
        var store = door.Engine.Client;
        var mounts = (await store.ListMountsAsync()).OrderBy(static mount => mount.Leases[0].Lease.Value, StringComparer.Ordinal).ToList();
        Assert.Equal(
            [("containerd:default/2/a%20box", MountMode.ReadWrite, ""), ("containerd:default/3/look", MountMode.ReadOnly, "")],
            mounts.Select(static mount => (mount.Leases.Single().Lease.Value, mount.Mode, mount.Path)));
        foreach (var layer in await store.ListLayersAsync()) Assert.Equal(StorageErrorCode.InUse, (await RefusalAsync(store.RemoveAsync(layer.Id))).Code);
        var refusal = await RefusalAsync(store.MountAsync(mounts[0].Layer));
        Assert.Equal(StorageErrorCode.InUse, refusal.Code);
        Assert.Contains("containerd:default/2/a%20box", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(StorageErrorCode.InUse, (await RefusalAsync(store.SealAsync(mounts[0].Layer))).Code);
        await store.RemoveAsync(mounts[0].Layer, force: true);
        Assert.Equal(NotFound, await door.StatusAsync("Stat", Key("default/2/a box")));

        static async Task<StorageError> RefusalAsync(Task command) => (await Assert.ThrowsAsync<StorageException>(() => command)).Error;
    }
}
