using StorageActors.Engine;
using StorageActors.Journal;
using StorageActors.Protocol;
using StorageActors.Reading;
using StorageActors.Store;
using Xunit;

namespace StorageActors.EngineTests.Flows;

public sealed class RecoveryTests : StoreTest
{
    [Fact]
    public async Task Everything_is_there_after_a_restart()
    {
        IReadOnlyList<LayerRecord> before;
        ImageRecord image;
        await using (var engine = await StartAsync())
        {
            var layers = (await engine.Client.ApplyAsync(new StoreProtocol.Apply(null, [Item("base"), Item("top", name: "n")]))).Select(static one => one.Layer.Id).ToArray();
            image = await engine.Client.PutImageAsync(new CatalogProtocol.PutImage(ImageId.Of(DiffOf("c")), ["i"], layers, null, [new BigData("config", [1])]));
            await engine.Client.SealAsync((await engine.Client.CreateAsync(layers[1])).Id, ["sealed"]);
            before = await engine.Client.ListLayersAsync();
        }

        await using var again = await StartAsync();

        Assert.Equal(before.Select(Text), (await again.Client.ListLayersAsync()).Select(Text));
        Assert.Equal(image.Names, (await again.Client.ResolveAsync("i")).Image!.Names);
        Assert.Equal([1], await again.Client.GetBigDataAsync(image.Id, "config"));
        Assert.Empty(await LayerLifeTests.CheckAsync(again));
        await AssertAtRestAsync(again);
    }

    [Fact]
    public async Task A_staging_that_cannot_be_put_away_keeps_nobody_from_being_served_and_no_other_from_being_swept()
    {
        await using (var engine = await StartAsync()) await engine.Client.ApplyAsync(Chain("base"));
        Directory.CreateDirectory(Path.Combine(Root, "staging", "odd", "lock")); // Where a file is looked for.
        Directory.CreateDirectory(Path.Combine(Root, "staging", "stale"));

        await using var again = await StartAsync();

        Assert.Single(await again.Client.ListLayersAsync());
        Assert.Equal(["odd"], In("staging"));
    }

    [Fact]
    public async Task Everything_is_there_when_the_journal_was_lost()
    {
        IReadOnlyList<LayerRecord> before;
        await using (var engine = await StartAsync())
        {
            var layers = (await engine.Client.ApplyAsync(Chain("base", "middle", "top"))).Select(static one => one.Layer.Id).ToArray();
            await engine.Client.PutImageAsync(new CatalogProtocol.PutImage(ImageId.Of(DiffOf("c")), ["i", "j"], layers, null, [new BigData("config", [1])]));
            await engine.Client.Channel.AskAsync<CatalogProtocol.Resolved>(new CatalogProtocol.ChangeNames(layers[2], null, ["late"], []));
            await engine.Client.Channel.AskAsync<CatalogProtocol.Resolved>(new CatalogProtocol.ChangeNames(null, ImageId.Of(DiffOf("c")), ["k"], ["j"]));
            await engine.Client.SealAsync((await engine.Client.CreateAsync(layers[1])).Id, ["sealed"]);
            before = await engine.Client.ListLayersAsync();
        }

        foreach (var file in Directory.GetFiles(Root, "journal.db*")) File.Delete(file);
        await using var again = await StartAsync();

        Assert.Equal(before.Select(Text).Order(StringComparer.Ordinal), (await again.Client.ListLayersAsync()).Select(Text).Order(StringComparer.Ordinal));
        Assert.Equal(["i", "k"], (await again.Client.ListImagesAsync())[0].Names);
        Assert.Empty(await LayerLifeTests.CheckAsync(again));
    }

    [Fact]
    public async Task A_layer_that_was_renamed_in_but_not_journaled_is_adopted_and_one_that_was_renamed_out_is_removed()
    {
        LayerId[] layers;
        await using (var engine = await StartAsync())
        {
            layers = [.. (await engine.Client.ApplyAsync(Chain("base", "top"))).Select(static one => one.Layer.Id)];
        }

        // As a crash leaves it: between the rename to the trash and the journal; and, from an earlier journal's view, between the rename and the journal.
        Directory.Move(Path.Combine(Root, "directories", layers[1].Value), Path.Combine(Root, "trash", "gone.1"));
        await using (var engine = await StartAsync())
        {
            Assert.Equal([layers[0]], (await engine.Client.ListLayersAsync()).Select(static layer => layer.Id));
            await AssertAtRestAsync(engine);
            await engine.Client.Channel.AskAsync<StoreProtocol.Collected>(new StoreProtocol.CollectGarbage(Wait: true));
        }

        Assert.Empty(In("trash"));
    }

    [Fact]
    public async Task An_image_that_lies_in_the_trash_but_is_in_the_journal_is_removed_and_its_layers_stay_until_they_are_collected()
    {
        LayerId[] layers;
        var image = ImageId.Of(DiffOf("c"));
        await using (var engine = await StartAsync())
        {
            layers = [.. (await engine.Client.ApplyAsync(Chain("base", "top"))).Select(static one => one.Layer.Id)];
            await engine.Client.PutImageAsync(new CatalogProtocol.PutImage(image, ["i"], layers, null, [new BigData("config", [1])]));
        }

        // As a crash leaves it between the rename to the trash and the journal.
        Directory.Move(Path.Combine(Root, "images", image.Value), Path.Combine(Root, "trash", "gone.1"));
        await using var again = await StartAsync();

        Assert.Empty(await again.Client.ListImagesAsync());
        Assert.Equal(layers, (await again.Client.ListLayersAsync()).Select(static layer => layer.Id));
        Assert.Equal(layers.Reverse(), (await again.Client.CollectGarbageAsync(wait: true)).Layers);
        Assert.Empty(In("trash"));
    }

    [Fact]
    public async Task A_missing_layer_is_marked_never_dropped_and_is_sound_when_it_is_back()
    {
        LayerId[] layers;
        await using (var engine = await StartAsync())
        {
            layers = [.. (await engine.Client.ApplyAsync(Chain("base", "top"))).Select(static one => one.Layer.Id)];
        }

        var aside = Path.Combine(Elsewhere, "aside");
        Directory.Move(Path.Combine(Root, "directories", layers[0].Value), aside);
        await using (var engine = await StartAsync())
        {
            Assert.Equal([true, false], (await engine.Client.ListLayersAsync()).Select(static layer => layer.Damage is not null));
            Assert.Equal(StorageErrorCode.Damaged, await RefusedAsync(engine.Client.MountAsync(layers[0])));
        }

        Directory.Move(aside, Path.Combine(Root, "directories", layers[0].Value));
        await using (var engine = await StartAsync())
        {
            Assert.All(await engine.Client.ListLayersAsync(), static layer => Assert.Null(layer.Damage));
        }
    }

    [Fact]
    public async Task A_damaged_layer_without_a_directory_can_be_removed()
    {
        LayerId layer;
        await using (var engine = await StartAsync())
        {
            layer = (await engine.Client.ApplyAsync(Chain("base")))[0].Layer.Id;
        }

        Directory.Delete(Path.Combine(Root, "directories", layer.Value), recursive: true);
        await using var again = await StartAsync();
        await again.Client.RemoveAsync(layer);

        Assert.Empty(await again.Client.ListLayersAsync());
    }

    [Fact]
    public async Task Leases_of_nobody_survive_a_restart_and_those_of_actors_end_with_the_engine()
    {
        LayerId kept, released;
        await using (var engine = await StartAsync())
        {
            kept = (await engine.Client.ApplyAsync(Chain("kept")))[0].Layer.Id;
            released = (await engine.Client.ApplyAsync(Chain("released")))[0].Layer.Id;
            await engine.Client.MountAsync(kept, lease: LeaseId.Parse("mine"), outlive: true);
            await engine.Client.MountAsync(released);
            Assert.Equal(2, World.Mounts.Count);
        }

        Assert.Single(World.Mounts);
        await using var again = await StartAsync();
        var mount = Assert.Single(await again.Client.ListMountsAsync());
        Assert.Equal((kept, "mine"), (mount.Layer, mount.Leases[0].Lease.Value));
        Assert.Equal(StorageErrorCode.InUse, await RefusedAsync(again.Client.RemoveAsync(kept)));
        Assert.Equal(0, await again.Client.UnmountAsync(kept));
        Assert.Empty(World.Mounts);
    }

    [Fact]
    public async Task A_mount_that_nobody_holds_is_taken_away()
    {
        LayerId layer;
        await using (var engine = await StartAsync())
        {
            layer = (await engine.Client.ApplyAsync(Chain("base")))[0].Layer.Id;
        }

        World.Mounts[Path.Combine(Root, "directories", layer.Value, "merged")] = MountMode.ReadOnly;
        await using var again = await StartAsync();

        Assert.Empty(World.Mounts);
        Assert.Empty(await again.Client.ListMountsAsync());
    }

    [Fact]
    public async Task Stale_staging_and_half_made_images_are_swept()
    {
        await using (await StartAsync())
        {
            Directory.CreateDirectory(Path.Combine(Root, "images", ".new-half"));
            Directory.CreateDirectory(Path.Combine(Root, "staging", "stale", "layer"));
        }

        await using var again = await StartAsync();

        Assert.Empty(In("staging"));
        Assert.Empty(In("images"));
    }

    [Fact]
    public async Task A_directory_that_is_nothing_of_the_stores_is_left_alone()
    {
        await using (await StartAsync())
        {
            Directory.CreateDirectory(Path.Combine(Root, "directories", "somebodys"));
        }

        await using var again = await StartAsync();

        Assert.Contains("somebodys", In("directories"));
        Assert.Empty(await again.Client.ListLayersAsync());
    }

    [Fact]
    public async Task A_second_engine_on_the_same_root_is_refused_and_hears_who_owns_it()
    {
        await using (var engine = await StartAsync())
        {
            var refused = await Assert.ThrowsAsync<StorageException>(() => StartAsync());
            Assert.Equal(StorageErrorCode.InUse, refused.Error.Code);
            Assert.Contains(Environment.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture), refused.Error.Message, StringComparison.Ordinal);
            await engine.Client.CreateAsync(null);
        }

        await using var next = await StartAsync();
    }

    [Fact]
    public async Task An_unknown_format_is_refused_and_nothing_is_touched()
    {
        await using (await StartAsync())
        {
        }

        var path = Path.Combine(Root, "format.json");
        await File.WriteAllTextAsync(path, (await File.ReadAllTextAsync(path)).Replace("\"format\": 1", "\"format\": 99", StringComparison.Ordinal));

        Assert.Equal(StorageErrorCode.UnknownFormat, await RefusedAsync(StartAsync()));
    }

    [Fact]
    public async Task A_journal_that_is_none_is_damage_and_the_message_says_what_to_do()
    {
        await using (var engine = await StartAsync())
        {
            await engine.Client.ApplyAsync(Chain("base"));
        }

        foreach (var file in Directory.GetFiles(Root, "journal.db-*")) File.Delete(file);
        var bytes = new byte[64 * 1024];
        new Random(1).NextBytes(bytes);
        await File.WriteAllBytesAsync(Path.Combine(Root, "journal.db"), bytes);

        var refused = await Assert.ThrowsAsync<StorageException>(() => StartAsync());
        Assert.Contains("journal.db", refused.Error.ToString() + refused.Error.Path, StringComparison.Ordinal);
        File.Delete(Path.Combine(Root, "journal.db"));
        await using var again = await StartAsync();
        Assert.Single(await again.Client.ListLayersAsync());
    }

    /// <summary>Something is wrong with the disk or its directories: not with what the journal says, nor with the store's program.</summary>
    [Fact]
    public async Task A_journal_that_cannot_be_read_or_made_is_neither_a_defect_nor_damage()
    {
        await using (var first = await StartAsync()) await first.Client.ApplyAsync(Chain("base"));
        var journal = Path.Combine(Root, "journal.db");
        File.Delete(journal);
        Directory.CreateDirectory(journal);
        var unread = (await Assert.ThrowsAsync<StorageException>(() => StartAsync())).Error;
        Assert.Equal((StorageErrorCode.Io, "EISDIR"), (unread.Code, unread.Errno));

        Directory.Delete(journal);
        File.CreateSymbolicLink(journal, Path.Combine(Root, "not-there", "journal.db"));
        var unmade = (await Assert.ThrowsAsync<StorageException>(() => StartAsync())).Error;
        Assert.Equal(StorageErrorCode.Io, unmade.Code);
        Assert.DoesNotContain("Move it away", unmade.Message, StringComparison.Ordinal);

        File.Delete(journal);
        await using var again = await StartAsync();
        Assert.Single(await again.Client.ListLayersAsync());
    }

    [Fact]
    public async Task Snapshots_of_the_journal_lose_nothing()
    {
        await using (var engine = await StartAsync("storage-actors.catalog.snapshot-every = 3"))
        {
            for (var round = 0; round < 10; round++) await engine.Client.ApplyAsync(new StoreProtocol.Apply(null, [Item($"{round}", $"layer-{round}", $"name-{round}")]));
            await engine.Client.RemoveAsync(LayerId.Parse("layer-3"));
        }

        await using var again = await StartAsync("storage-actors.catalog.snapshot-every = 3");

        Assert.Equal(9, (await again.Client.ListLayersAsync()).Count);
        Assert.Equal("layer-9", (await again.Client.ResolveAsync("name-9")).Layer!.Id.Value);
    }

    [Fact]
    public async Task A_store_that_stops_sums_its_journal_up()
    {
        // With so many layers a snapshot is taken at every other event only: that of the last layer is still to come.
        await using (var engine = await StartAsync("storage-actors.catalog.snapshot-every = 1"))
        {
            for (var layer = 0; layer < 16; layer++) await engine.Client.ApplyAsync(new StoreProtocol.Apply(null, [Item($"{layer}", $"layer-{layer}")]));
        }

        Assert.Equal(16, Assert.IsType<CatalogEvent.Snapshot>(Assert.Single(Journal())).Layers.Count);
        await using (var engine = await StartAsync("storage-actors.catalog.snapshot-every = 2")) await engine.Client.RemoveAsync(LayerId.Parse("layer-1"));

        // So little is left to the next start.
        Assert.Equal([typeof(CatalogEvent.Snapshot), typeof(CatalogEvent.LayerRemoved)], Journal().Select(static happened => happened.GetType()));
        await using var again = await StartAsync();
        Assert.Equal(15, (await again.Client.ListLayersAsync()).Count);
        Assert.Empty(await LayerLifeTests.CheckAsync(again));
        await AssertAtRestAsync(again);
    }

    [Fact]
    public async Task A_store_that_only_grows_is_summed_up_while_it_does()
    {
        await using (var engine = await StartAsync("storage-actors.catalog.snapshot-every = 2"))
        {
            for (var layer = 0; layer < 9; layer++) await engine.Client.ApplyAsync(new StoreProtocol.Apply(null, [Item($"{layer}", $"layer-{layer}")]));
        }

        var journal = Journal();
        Assert.Equal(8, Assert.IsType<CatalogEvent.Snapshot>(journal[0]).Layers.Count);
        Assert.IsType<CatalogEvent.LayerCommitted>(Assert.Single(journal.Skip(1)));
    }

    private List<IJournalEvent> Journal() =>
        JournalAccess.Read(Path.Combine(Root, "journal.db"), isOwned: false, static journal => journal.Read("catalog").ToList());

    private static string Text(LayerRecord layer) => System.Text.Encoding.UTF8.GetString(StoreJson.Write(new LayerFile.Content(1, layer)));
}
