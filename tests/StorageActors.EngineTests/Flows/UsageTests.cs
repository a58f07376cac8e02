using StorageActors.Protocol;
using Xunit;

namespace StorageActors.EngineTests.Flows;

public sealed class UsageTests : StoreTest
{
    [Fact]
    public async Task Usage_says_what_layers_take_who_shares_and_what_nobody_needs()
    {
        await using var engine = await StartAsync();
        var layers = (await engine.Client.ApplyAsync(Chain("12345", "123"))).Select(static one => one.Layer.Id).ToArray();
        await engine.Client.ApplyAsync(new StoreProtocol.Apply(layers[0], [Item("1")]));
        await engine.Client.MountAsync(layers[1]);

        var report = (await engine.Client.Channel.AskAsync<StoreProtocol.Usage>(new StoreProtocol.GetUsage())).Report;

        Assert.Equal([5, 3, 1], report.Layers.Select(static layer => layer.Bytes));
        Assert.Equal([true, false, false], report.Layers.Select(static layer => layer.Shared));
        Assert.Equal([false, false, true], report.Layers.Select(static layer => layer.Reclaimable));
        Assert.True(report.FreeBytes > 0);
    }

    [Fact]
    public async Task One_layer_is_measured_alone()
    {
        await using var engine = await StartAsync();
        var layers = (await engine.Client.ApplyAsync(Chain("12345", "123"))).Select(static one => one.Layer.Id).ToArray();

        var report = (await engine.Client.Channel.AskAsync<StoreProtocol.Usage>(new StoreProtocol.GetUsage(layers[1]))).Report;

        Assert.Equal((layers[1], 3, 3), (Assert.Single(report.Layers).Layer, report.Layers[0].Bytes, report.Layers[0].ContentBytes));
        Assert.Equal(StorageErrorCode.NotFound, await RefusedAsync(engine.Client.Channel.AskAsync<StoreProtocol.Usage>(new StoreProtocol.GetUsage(LayerId.Parse("nothing")))));
    }

    [Fact]
    public async Task Images_documents_and_kept_blobs_are_measured_and_what_is_not_known_is_not_told_as_nothing()
    {
        await using var engine = await StartAsync();
        var layers = (await engine.Client.ApplyAsync(Chain("12345", "123"))).Select(static one => one.Layer.Id).ToArray();
        var open = await engine.Client.CreateAsync(layers[1]);
        await engine.Client.PutBigDataAsync(layers[0], new BigData("notes", new byte[7]));
        var content = new string('b', 5000);
        var (blob, own) = (new ImageBlob(DiffOf(content), 5000, Blob(content)), new ImageBlob(DiffOf("own"), 3, Blob("own")));
        foreach (var (name, blobs) in new[] { ("one", new[] { blob, own }), ("two", [blob]) })
            await engine.Client.PutImageAsync(new CatalogProtocol.PutImage(ImageId.Of(DiffOf(name)), [name], layers, null, [new BigData("config", new byte[100])], Blobs: blobs));

        var report = (await engine.Client.Channel.AskAsync<StoreProtocol.Usage>(new StoreProtocol.GetUsage())).Report;

        Assert.Equal([5, 3, null], report.Layers.Select(static layer => layer.DiffSize));
        Assert.Equal([7, 0, 0], report.Layers.Select(static layer => layer.DocumentBytes));
        Assert.Equal(open.Id, report.Layers[2].Layer);
        Assert.Equal([108L, 108L], report.Images!.Select(static image => image.Size));
        Assert.All(report.Images!, static image => Assert.True(image.RecordBytes > 0));
        Assert.Equal((2, report.Images![0].BlobBytes), (report.Blobs, report.BlobBytes)); // The second one's is the first one's, too.
        Assert.InRange(report.Images[1].BlobBytes, 1, report.BlobBytes - 1);
        Assert.Null((await engine.Client.Channel.AskAsync<StoreProtocol.Usage>(new StoreProtocol.GetUsage(layers[0]))).Report.Images);
    }

    [Fact]
    public async Task A_sealed_layer_is_measured_once()
    {
        await using var engine = await StartAsync();
        var layer = (await engine.Client.ApplyAsync(Chain("12345")))[0].Layer.Id;
        await engine.Client.Channel.AskAsync<StoreProtocol.Usage>(new StoreProtocol.GetUsage());
        await File.WriteAllTextAsync(Path.Combine(Root, "directories", layer.Value, "diff", "content"), "1");

        var again = (await engine.Client.Channel.AskAsync<StoreProtocol.Usage>(new StoreProtocol.GetUsage())).Report;

        Assert.Equal(5, again.Layers[0].Bytes);
    }

    [Fact]
    public async Task What_cannot_be_noted_is_measured_all_the_same()
    {
        await using var engine = await StartAsync();
        var layer = (await engine.Client.ApplyAsync(Chain("12345")))[0].Layer.Id;
        Directory.CreateDirectory(Path.Combine(Root, "directories", layer.Value, "usage.json"));

        var report = (await engine.Client.Channel.AskAsync<StoreProtocol.Usage>(new StoreProtocol.GetUsage())).Report;

        Assert.Equal(5, report.Layers[0].Bytes);
    }

    [Fact]
    public async Task A_reference_that_can_be_no_path_names_nothing()
    {
        await using var engine = await StartAsync();
        await using var lease = await engine.Client.MountAsync((await engine.Client.CreateAsync(null)).Id);

        Assert.Equal(StorageErrorCode.NotFound, await RefusedAsync(engine.Client.ResolveAsync("/\0/x")));

        Assert.Single(await engine.Client.ListMountsAsync());
    }

    [Fact]
    public async Task Garbage_is_what_no_name_image_child_or_lease_needs()
    {
        await using var engine = await StartAsync();
        var chain = (await engine.Client.ApplyAsync(Chain("base", "middle", "top"))).Select(static one => one.Layer.Id).ToArray();
        var named = (await engine.Client.ApplyAsync(new StoreProtocol.Apply(chain[0], [Item("named", name: "n")])))[0].Layer.Id;
        var leased = (await engine.Client.ApplyAsync(Chain("leased")))[0].Layer.Id;
        await engine.Client.MountAsync(leased);
        var writable = (await engine.Client.CreateAsync(null)).Id;

        var would = await engine.Client.Channel.AskAsync<StoreProtocol.Collected>(new StoreProtocol.CollectGarbage(DryRun: true));
        Assert.Equal([chain[2], chain[1]], would.Layers);
        Assert.Equal("middle".Length + "top".Length, would.Bytes);
        var did = await engine.Client.Channel.AskAsync<StoreProtocol.Collected>(new StoreProtocol.CollectGarbage(Wait: true));

        Assert.Equal(would.Layers, did.Layers);
        Assert.Equal(new[] { chain[0], named, leased, writable }.ToHashSet(), (await engine.Client.ListLayersAsync()).Select(static layer => layer.Id).ToHashSet());
        Assert.Empty(In("trash"));
    }

    [Fact]
    public async Task Metadata_says_where_a_layer_lies()
    {
        await using var engine = await StartAsync();
        var layer = (await engine.Client.ApplyAsync(Chain("base")))[0].Layer.Id;

        var places = await engine.Client.GetMetadataAsync(layer);

        Assert.Equal(("directories", Path.Combine(Root, "directories", layer.Value)), (places.Driver, places.Directory));
        Assert.Matches("^[0-9]+:[0-9]+$", places.Device);
        Assert.Equal(StorageErrorCode.NotFound, await RefusedAsync(engine.Client.GetMetadataAsync(LayerId.Parse("nothing"))));
    }

    [Fact]
    public async Task Garbage_younger_than_the_age_asked_for_stays_with_what_it_stands_on()
    {
        await using var engine = await StartAsync();
        var layers = (await engine.Client.ApplyAsync(Chain("base", "top"))).Select(static one => one.Layer.Id).ToArray();

        foreach (var age in new[] { TimeSpan.FromHours(24), TimeSpan.MaxValue })
        {
            Assert.Empty((await engine.Client.CollectGarbageAsync(dryRun: true, olderThan: age)).Layers);
            Assert.Empty((await engine.Client.CollectGarbageAsync(olderThan: age)).Layers);
        }

        Assert.Equal(StorageErrorCode.InvalidArgument, await RefusedAsync(engine.Client.CollectGarbageAsync(olderThan: TimeSpan.FromTicks(-1))));
        Assert.Equal(2, (await engine.Client.ListLayersAsync()).Count);
        Assert.Equal(layers.Reverse(), (await engine.Client.CollectGarbageAsync(olderThan: TimeSpan.Zero)).Layers);
    }

    [Fact]
    public async Task Info_says_the_driver_and_the_settings_and_statistics_what_was_measured()
    {
        await using var engine = await StartAsync();
        await engine.Client.ApplyAsync(Chain("base"));

        var info = await engine.Client.Channel.AskAsync<StoreProtocol.Info>(new StoreProtocol.GetInfo());

        Assert.Equal((Root, "directories"), (info.Root, info.Driver));
        Assert.Contains(info.Facts, static fact => fact is { Group: "settings", Name: "staging.parallelism", Value: "4" });
        Assert.Contains(info.Facts, static fact => fact is { Group: "driver", Value: "plain directories" });
        Assert.Equal(new StoreLimits(256L << 30, 4_000_000, 200, 1L << 30), info.Limits);
        var statistics = await engine.Client.Channel.AskAsync<StoreProtocol.Statistics>(new StoreProtocol.GetStatistics());
        Assert.Contains(statistics.Counters, static counter => counter is { Name: "extracted bytes", Value: > 0 });
        foreach (var operation in new[] { null, "commit layer" })
        {
            var hold = statistics.Latencies.Single(latency => latency is { Kind: "lock", Name: "store", Measure: "hold" } && latency.Operation == operation);
            Assert.Equal((1, 1), (hold.Count, hold.Buckets.Sum(static bucket => bucket.Count)));
        }

        Assert.Contains(statistics.Latencies, static latency => latency is { Kind: "queue", Name: "extractions", Measure: "wait", Count: 1 });
    }
}
