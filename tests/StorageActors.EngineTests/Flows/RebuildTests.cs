using System.Text.Json;
using StorageActors.Engine;
using StorageActors.Protocol;
using Xunit;

namespace StorageActors.EngineTests.Flows;

/// <summary>The journal out of the directories alone.</summary>
public sealed class RebuildTests : StoreTest
{
    [Theory]
    [InlineData("sound")]
    [InlineData("damaged")]
    [InlineData("lost")]
    public async Task A_rich_store_is_the_same_after_its_journal_was_made_again(string journal)
    {
        await FillAsync();
        var before = await DescribeAsync();
        var file = Path.Combine(Root, "journal.db");
        if (journal != "sound")
        {
            foreach (var part in Directory.GetFiles(Root, "journal.db*")) File.Delete(part);
            if (journal == "damaged") await File.WriteAllTextAsync(file, new string('x', 100_000));
        }

        var would = await RebuildAsync(dryRun: true);
        Assert.Equal(journal != "lost", File.Exists(file)); // And nothing was touched.
        Assert.Null(would.Replaced);
        var did = await RebuildAsync(dryRun: false);

        Assert.Equal(journal != "lost", did.Replaced is not null && File.Exists(did.Replaced));
        Assert.Empty(did.Findings);
        Assert.Equal(would.Layers.ToHashSet(), did.Layers.ToHashSet());
        Assert.Equal(would.Images.ToHashSet(), did.Images.ToHashSet());
        Assert.Equal(before, await DescribeAsync());
        await using var engine = await StartAsync();
        Assert.Empty(await engine.Client.CheckAsync(full: true));
        await AssertAtRestAsync(engine);
    }

    [Fact]
    public async Task A_rebuild_says_what_it_cannot_take_over_and_leaves_it_alone()
    {
        await FillAsync();
        Directory.CreateDirectory(Path.Combine(Root, "directories", "strange"));
        var harmed = Path.Combine(Root, "directories", "keeper", "layer.json");
        await File.WriteAllTextAsync(harmed, "{");

        var report = await RebuildAsync(dryRun: false);

        Assert.Equal(
            [("damaged-layer", "above"), ("orphan-directory", Path.GetDirectoryName(harmed)!), ("orphan-directory", Path.Combine(Root, "directories", "strange"))],
            report.Findings.Select(static finding => (finding.Kind, finding.Subject)).Order());
        Assert.True(File.Exists(harmed));
        await using var engine = await StartAsync();
        Assert.Equal(StorageErrorCode.Damaged, await RefusedAsync(engine.Client.MountAsync(LayerId.Parse("above"))));
    }

    [Fact]
    public async Task A_rebuild_is_refused_without_a_store_beside_an_engine_and_below_mounts()
    {
        Assert.Equal(StorageErrorCode.NotFound, await RefusedAsync(RebuildAsync(dryRun: false)));
        Assert.False(Directory.Exists(Root));
        await FillAsync();
        await using (var engine = await StartAsync())
        {
            Assert.Equal(StorageErrorCode.InUse, await RefusedAsync(RebuildAsync(dryRun: true)));
            await engine.Client.MountAsync(LayerId.Parse("keeper"), lease: LeaseId.Parse("mine"), outlive: true);
        }

        var refused = await Assert.ThrowsAsync<StorageException>(() => RebuildAsync(dryRun: false));
        Assert.Equal(StorageErrorCode.InUse, refused.Error.Code);
        Assert.Contains("keeper", refused.Error.Message, StringComparison.Ordinal);
        await using var again = await StartAsync();
        Assert.Equal("mine", Assert.Single(await again.Client.ListMountsAsync()).Leases[0].Lease.Value);
    }

    private Task<RebuildReport> RebuildAsync(bool dryRun) => StorageEngine.RebuildAsync(Configure(), (_, store) => Open(store.Root), dryRun);

    private async Task FillAsync()
    {
        await using var engine = await StartAsync();
        var client = engine.Client;
        var layers = (await client.ApplyAsync(new StoreProtocol.Apply(null, [Item("base", name: "root"), Item("middle"), Item("top")]))).Select(static one => one.Layer.Id).ToArray();
        var blob = "a blob"u8.ToArray();
        await client.PutImageAsync(new CatalogProtocol.PutImage(
            ImageId.Of(DiffOf("one")), ["i:1", "i:latest"], layers, DiffOf("manifest"), [new BigData("config", [1, 2]), new BigData("manifest", [3])],
            new Dictionary<string, string>(StringComparer.Ordinal) { ["who"] = "me" }, [new ImageBlob(Digest.Of(blob), blob.Length, Blob("a blob"))]));
        await client.PutImageAsync(new CatalogProtocol.PutImage(ImageId.Of(DiffOf("two")), ["j"], [layers[0]], null, [new BigData("config", [9])]));
        await client.Channel.AskAsync<CatalogProtocol.Resolved>(new CatalogProtocol.ChangeNames(null, ImageId.Of(DiffOf("two")), ["i:latest"], [], Steal: true));
        await client.Channel.AskAsync<CatalogProtocol.Resolved>(new CatalogProtocol.ChangeNames(layers[2], null, ["late", "root"], [], Steal: true));
        await client.CreateAsync(layers[2], new StoreProtocol.LayerSpec(LayerId.Parse("open"), ["box"], new Dictionary<string, string>(StringComparer.Ordinal) { ["k"] = "v" }));
        await client.Channel.AskAsync<CatalogProtocol.Resolved>(
            new CatalogProtocol.ChangeLabels(LayerId.Parse("open"), new Dictionary<string, string>(StringComparer.Ordinal) { ["more"] = "x y" }));
        await client.CreateAsync(layers[1], new StoreProtocol.LayerSpec(LayerId.Parse("keeper")));
        await client.SealAsync(LayerId.Parse("keeper"), ["sealed"]);
        await client.ApplyAsync(new StoreProtocol.Apply(LayerId.Parse("keeper"), [Item("above", id: "above")]));
        var gone = (await client.ApplyAsync(Chain("gone")))[0].Layer.Id;
        await client.RemoveAsync(gone);
    }

    /// <summary>Every record, document and blob, as text.</summary>
    private async Task<IReadOnlyList<string>> DescribeAsync()
    {
        await using var engine = await StartAsync();
        var lines = new List<string>();
        lines.AddRange((await engine.Client.ListLayersAsync()).Select(static layer => JsonSerializer.Serialize(layer)));
        foreach (var image in await engine.Client.ListImagesAsync())
        {
            lines.Add(JsonSerializer.Serialize(image));
            foreach (var item in image.BigData) lines.Add($"{image.Id} {item.Key} {Convert.ToHexString(await engine.Client.GetBigDataAsync(image.Id, item.Key))}");
        }

        return [.. lines.Order(StringComparer.Ordinal)];
    }
}
