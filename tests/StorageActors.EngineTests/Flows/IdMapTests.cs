using Akka.Configuration;
using StorageActors.Client;
using StorageActors.Drivers;
using StorageActors.Engine;
using StorageActors.EngineTests.Images;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.EngineTests.Flows;

/// <summary>Whose ids a layer has, and who sees which. With the overlay driver, on a real file system.</summary>
public sealed class IdMapTests : IDisposable
{
    private static readonly IdMap First = Of(100_000);
    private static readonly IdMap Second = Of(200_000);
    private readonly TempDirectory _home;

    public IdMapTests()
    {
        RequiredTiers.SkipUnlessRoot();
        _home = LoopFileSystem.Shared(FileSystemKind.Ext4).NewDirectory();
        var driver = DriverFactory.Open("overlay", Directory.CreateDirectory(_home["probe"]).FullName, new DriverOptions());
        using (driver) Skip.If(driver.NoIdMaps is not null, driver.NoIdMaps);
    }

    [SkippableFact]
    public async Task A_request_goes_before_host_ids_before_the_parents_and_the_default_is_for_layers_without_one()
    {
        await using var engine = await StartAsync("""storage-actors.default-ids.users = ["0:200000:65536"]""");
        var store = engine.Client;
        var image = await ApplyAsync(store);
        Assert.Null(image.Uidmap);
        await store.CreateAsync(null, null, IdMap.Host);
        Assert.DoesNotContain("id-maps", await File.ReadAllTextAsync(Path.Combine(_home["store"], "format.json")), StringComparison.Ordinal);
        Assert.Equal(Second, await MapAsync(null, null));
        Assert.Equal(IdMap.Host, await MapAsync(null, IdMap.Host));
        Assert.Equal(First, await MapAsync(null, First));
        Assert.Equal(IdMap.Host, await MapAsync(image.Id, null));
        Assert.Equal(First, await MapAsync(image.Id, First));
        var mapped = await store.SealAsync((await store.CreateAsync(image.Id, null, First)).Id);
        Assert.Equal(First, IdMap.Of(mapped));
        Assert.Equal(First, await MapAsync(mapped.Id, null));
        Assert.Equal(IdMap.Host, await MapAsync(mapped.Id, IdMap.Host));
        Assert.Equal(Second, await MapAsync(mapped.Id, Second));
        var format = System.Text.Json.JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(_home["store"], "format.json"))).RootElement;
        Assert.Equal("id-maps", Assert.Single(format.GetProperty("features").GetProperty("incompatible").EnumerateArray()).GetString());
        Assert.Contains((await store.Channel.AskAsync<StoreProtocol.Info>(new StoreProtocol.GetInfo())).Facts, static fact => fact is { Name: "default-ids" } && fact.Value == Second.ToString());

        async Task<IdMap> MapAsync(LayerId? parent, IdMap? ids) => IdMap.Of(await store.CreateAsync(parent, null, ids));
    }

    [SkippableFact]
    public async Task Containers_with_different_maps_share_the_layers_below_and_commit_the_same()
    {
        var (applied, ids) = (default(LayerRecord)!, new List<LayerId>());
        await using (var engine = await StartAsync())
        {
            applied = await ApplyAsync(engine.Client);
            foreach (var map in (IdMap[])[First, Second, IdMap.Host]) ids.Add((await engine.Client.CreateAsync(applied.Id, null, map)).Id);
            var leases = new List<MountLease>();
            foreach (var layer in ids) leases.Add(await engine.Client.MountAsync(layer));
            foreach (var (lease, map) in leases.Zip((IdMap[])[First, Second, IdMap.Host]))
            {
                Assert.Equal((map.UserToHost(0), map.GroupToHost(0)), OwnerOf(Path.Combine(lease.Path, "a")));
                Write(lease.Path, map.UserToHost(7)!.Value);
            }

            Assert.Equal([First, Second, null], (await engine.Client.ListMountsAsync()).ToDictionary(static mount => mount.Layer, static mount => mount.Ids) is var shown ? ids.Select(id => shown[id]) : []);
            foreach (var lease in leases) await lease.DisposeAsync();
        }

        await using (var engine = await StartAsync())
        {
            var done = new List<LayerRecord>();
            foreach (var layer in ids) done.Add(await engine.Client.SealAsync(layer));
            Assert.Single(done.Select(static layer => layer.DiffId).Distinct());
            Assert.All(done, static layer => Assert.Equal([7L], layer.Uids));
            Assert.Equal([First, Second, IdMap.Host], done.Select(IdMap.Of));
            Assert.Empty((await engine.Client.CheckAsync(full: true)).Select(static finding => finding.ToString()));
            await using var seen = await engine.Client.MountAsync(ids[0], new MountOptions(Ids: IdMap.Host));
            Assert.Equal((7u, 7u), OwnerOf(Path.Combine(seen.Path, "written")));
        }
    }

    [SkippableFact]
    public async Task A_layer_that_is_mounted_with_one_map_is_refused_with_another_until_it_is_given_back()
    {
        await using var engine = await StartAsync();
        var layer = (await ApplyAsync(engine.Client)).Id;
        await using (var lease = await engine.Client.MountAsync(layer, new MountOptions(Ids: First)))
        {
            Assert.Equal((100_000u, 100_000u), OwnerOf(Path.Combine(lease.Path, "a")));
            var refused = (await Assert.ThrowsAsync<StorageException>(() => engine.Client.MountAsync(layer))).Error;
            Assert.Equal((StorageErrorCode.WrongState, StorageErrorReason.MountedWithOtherIds), (refused.Code, refused.Reason));
            Assert.Contains(First.ToString(), refused.Message, StringComparison.Ordinal);
            await using var second = await engine.Client.MountAsync(layer, new MountOptions(Ids: First));
            Assert.Equal(lease.Path, second.Path);
            var step = await Assert.ThrowsAsync<StorageException>(() => DescribeAsync(new MountOptions(Ids: First)));
            Assert.Equal(StorageErrorCode.Unsupported, step.Error.Code);
            Assert.NotEmpty((await DescribeAsync(MountOptions.Default)).Steps);
        }

        await using var other = await engine.Client.MountAsync(layer, new MountOptions(Ids: Second));
        Assert.Equal((200_000u, 200_000u), OwnerOf(Path.Combine(other.Path, "a")));

        Task<LayerProtocol.Described> DescribeAsync(MountOptions options) =>
            engine.Client.Channel.AskAsync<LayerProtocol.Described>(new LayerProtocol.Describe(layer, options));
    }

    [SkippableFact]
    public async Task A_lease_is_taken_over_with_its_map_and_its_mount_is_made_again_with_it()
    {
        var layer = default(LayerId);
        string path;
        await using (var engine = await StartAsync())
        {
            layer = (await ApplyAsync(engine.Client)).Id;
            path = (await engine.Client.MountAsync(layer, new MountOptions(Ids: First), LeaseId.Parse("kept"), outlive: true)).Path;
        }

        await using (var engine = await StartAsync())
        {
            Assert.Equal(First, Assert.Single(await engine.Client.ListMountsAsync()).Ids);
            Assert.Equal((100_000u, 100_000u), OwnerOf(Path.Combine(path, "a")));
        }

        TempDirectory.Unmount(path);
        await using (var engine = await StartAsync())
        {
            await using (await engine.Client.MountAsync(layer, new MountOptions(Ids: First))) Assert.Equal((100_000u, 100_000u), OwnerOf(Path.Combine(path, "a")));
            await engine.Client.UnmountAsync(layer, LeaseId.Parse("kept"));
        }
    }

    [SkippableFact]
    public async Task A_layer_with_a_map_takes_no_archive_and_writes_only_with_its_own()
    {
        await using var engine = await StartAsync();
        var layer = (await engine.Client.CreateAsync(null, null, First)).Id;
        var blob = _home["blob"];
        await File.WriteAllBytesAsync(blob, LayoutBuilder.Tar("a"));
        var fill = new StoreProtocol.Fill(layer, BlobSource.File(blob), new StoreProtocol.Expectations());
        var refused = await Assert.ThrowsAsync<StorageException>(() => engine.Client.Channel.AskAsync<StoreProtocol.LayerFilled>(fill));
        Assert.Equal(StorageErrorCode.Unsupported, refused.Error.Code);
        Assert.Equal(StorageErrorCode.WrongState, (await Assert.ThrowsAsync<StorageException>(() => engine.Client.MountAsync(layer, new MountOptions(Ids: Second)))).Error.Code);
        await using var lease = await engine.Client.MountAsync(layer);
        Assert.Equal((100_000u, 100_000u), OwnerOf(lease.Path));
    }

    [SkippableFact]
    public async Task A_map_that_no_layer_can_have_is_refused_before_the_store_is_marked()
    {
        await using var engine = await StartAsync();
        IReadOnlyList<IdRange> rootless = [new(1, 100_001, 5)];
        IReadOnlyList<IdRange> tooLong = [.. Enumerable.Range(0, IdMap.MaximumRanges).Select(static index => new IdRange((uint)index * 10_000_000, 4_000_000_000 - ((uint)index * 1000), 1000))];
        foreach (var (map, code) in new[] { (rootless, StorageErrorCode.InvalidArgument), (tooLong, StorageErrorCode.LimitExceeded) })
        {
            var refused = await Assert.ThrowsAsync<StorageException>(() => engine.Client.CreateAsync(null, null, new IdMap(map, map)));
            Assert.Equal(code, refused.Error.Code);
        }

        Assert.DoesNotContain("id-maps", await File.ReadAllTextAsync(Path.Combine(engine.Root, "format.json")), StringComparison.Ordinal);
    }

    public void Dispose() => _home?.Dispose();

    private static IdMap Of(uint start) => IdMap.OfContainer([new IdRange(0, start, 65_536)], []);

    private static (uint User, uint Group) OwnerOf(string path) => Libc.Stat(path, AtFlags.SymlinkNoFollow) is var status ? (status.UserId, status.GroupId) : default;

    private static void Write(string mount, uint owner)
    {
        var path = Path.Combine(mount, "written");
        File.WriteAllText(path, "1");
        using var file = Libc.Open(path, OpenFlags.ReadWrite);
        Libc.FChown(file, owner, owner);
        Libc.FUtimens(file, default, default);
    }

    private async Task<LayerRecord> ApplyAsync(StorageClient store)
    {
        var blob = _home["blob"];
        await File.WriteAllBytesAsync(blob, LayoutBuilder.Tar("a"));
        return (await store.ApplyAsync(new StoreProtocol.Apply(null, [new(BlobSource.File(blob), new(), new())])))[0].Layer;
    }

    private Task<StorageEngine> StartAsync(string settings = "") => StorageEngine.StartAsync(ConfigurationFactory.ParseString($$"""
        akka.actor.serialize-messages = on
        akka.stdout-loglevel = WARNING
        akka.loglevel = WARNING
        akka.logger-startup-timeout = 120s
        storage-actors.drain-timeout = 120s
        storage-actors.root = "{{_home["store"]}}"
        storage-actors.driver = overlay
        {{settings}}
        """));
}
