using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Akka.Actor;
using Akka.Event;
using Microsoft.Data.Sqlite;
using StorageActors.Archive.Digests;
using StorageActors.Catalog;
using StorageActors.Engine;
using StorageActors.Journal;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.Reading;
using StorageActors.Records;
using StorageActors.Recovery;
using StorageActors.Store;
using Xunit;

namespace StorageActors.EngineTests.Flows;

/// <summary>A store that is so large that its journal's snapshot is packed.</summary>
public sealed class LargeStoreTests : StoreTest
{
    private const int Layers = PackedSnapshot.Least + 4;
    private const string Packed = "packed-snapshot";

    private string Journal => Path.Combine(Root, "journal.db");

    [Fact]
    public async Task Its_snapshot_is_packed_it_says_so_and_nothing_is_lost()
    {
        var before = await FillAsync();
        Assert.IsType<PackedLayers>(Snapshot().Layers);
        Assert.Equal([Packed], StoreFormat.Read(Root)!.Features.Incompatible);

        await using (var again = await StartAsync())
        {
            // Commands before the first list, which reads all records.
            var store = again.Client;
            var parent = await store.SealAsync(before[7].Id, ["sealed"]);
            var child = await store.CreateAsync(parent.Id);
            Assert.Equal(StorageErrorCode.InUse, await RefusedAsync(store.RemoveAsync(before[7].Id)));
            await store.RemoveAsync(before[9].Id);
            Assert.Equal(before[8].Id, (await store.ResolveAsync(before[8].Names[0])).Layer!.Id);
            Assert.Equal(StorageErrorCode.NotFound, await RefusedAsync(store.ResolveAsync(before[9].Names[0])));
            LayerRecord[] expected = [.. before[..7], parent, before[8], .. before[10..], child];
            Assert.Equal(expected.Select(Text), (await store.ListLayersAsync()).Select(Text));
            Assert.Empty(await LayerLifeTests.CheckAsync(again));
            await AssertAtRestAsync(again);
        }

        Assert.Equal(Layers, StoreReading.TryRead(Root, withMounts: false)!.Catalog.LayerCount);
    }

    [Fact]
    public async Task One_that_a_version_from_before_summed_up_is_read_and_packed_when_it_stops()
    {
        var before = await FillAsync();
        Replace(JsonSerializer.SerializeToUtf8Bytes(Snapshot(), JournalJson.TypeOf(typeof(CatalogEvent.Snapshot))), "catalog-1");
        Assert.Equal(before.Select(Text), StoreReading.TryRead(Root, withMounts: false)!.Catalog.ListLayers().Select(Text));

        await using (var engine = await StartAsync()) Assert.Equal(before.Select(Text), (await engine.Client.ListLayersAsync()).Select(Text));

        Assert.Equal(before.Select(Text), Assert.IsType<PackedLayers>(Snapshot().Layers).Select(Text));
    }

    [Fact]
    public async Task One_that_another_build_summed_up_is_summed_up_again_when_it_stops()
    {
        var before = await FillAsync();
        var bytes = Row();
        bytes[8] ^= 1;
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, Crc64.Compute(bytes.AsSpan(8)));
        Replace(bytes, "catalog-4");
        Assert.True(PackedSnapshot.IsOutdated(Snapshot()));

        await using (var engine = await StartAsync()) Assert.Equal(before.Select(Text), (await engine.Client.ListLayersAsync()).Select(Text));

        Assert.False(PackedSnapshot.IsOutdated(Snapshot()));
        Assert.Equal(before.Select(Text), Snapshot().Layers.Select(Text));
    }

    [Fact]
    public async Task A_snapshot_that_was_damaged_or_is_of_a_later_version_is_refused_and_the_journal_can_be_made_again()
    {
        var before = await FillAsync();
        var bytes = Row();
        foreach (var (row, manifest) in new[] { (bytes[..^1], "catalog-4"), ([.. bytes[..^9], (byte)(bytes[^9] ^ 1), .. bytes[^8..]], "catalog-4"), ([], "catalog-4"), (bytes, "catalog-9") })
        {
            Replace(row, manifest);
            Assert.Null(StoreReading.TryRead(Root, withMounts: false));
            var error = (await Assert.ThrowsAsync<StorageException>(() => StartAsync())).Error;
            Assert.Equal(StorageErrorCode.Damaged, error.Code);
            Assert.Contains(manifest, error.Message, StringComparison.Ordinal);
        }

        File.Delete(Journal);
        await using var engine = await StartAsync();
        Assert.Equal(before.Select(Text).Order(StringComparer.Ordinal), (await engine.Client.ListLayersAsync()).Select(Text).Order(StringComparer.Ordinal));
    }

    /// <summary>As from a build that takes itself for this one.</summary>
    [Fact]
    public async Task A_record_that_turns_out_to_be_unreadable_is_refused_as_damage_by_whoever_asks_for_it()
    {
        var before = await FillAsync();
        Replace(Spoiled(Row(), 1), "catalog-4");

        await using (var engine = await StartAsync())
        {
            var error = (await Assert.ThrowsAsync<StorageException>(() => engine.Client.ListLayersAsync())).Error;
            Assert.Equal(StorageErrorCode.Damaged, error.Code);
            Assert.Contains("rebuild", error.Message, StringComparison.Ordinal);
        }

        foreach (var part in Directory.GetFiles(Root, "journal.db*")) File.Delete(part);
        await using var again = await StartAsync();
        Assert.Equal(before.Length, (await again.Client.ListLayersAsync()).Count);
    }

    /// <summary>The same record is as unreadable after a recovery: the store does not try.</summary>
    [Fact]
    public async Task One_that_the_catalog_meets_has_the_store_refuse_what_comes_after_at_once()
    {
        await FillAsync();
        Replace(Spoiled(Row(), 1), "catalog-4");

        await using (var engine = await StartAsync())
        {
            var heard = new ConcurrentQueue<string>();
            engine.System.EventStream.Subscribe(engine.System.ActorOf(Props.Create(() => new Ear(heard))), typeof(Error));
            // Only the catalog looks at names of others for it.
            foreach (var name in new[] { "one", "two" })
            {
                var error = (await Assert.ThrowsAsync<StorageException>(() => engine.Client.CreateAsync(null, new StoreProtocol.LayerSpec(null, [name])))).Error;
                Assert.True(JournalFailure.IsUnreadable(error), error.ToString());
            }

            Assert.DoesNotContain(heard, static line => line.Contains("recovers", StringComparison.Ordinal));
        }
    }

    /// <summary>An event behind the snapshot changes it, so a start reads it.</summary>
    [Fact]
    public async Task One_that_a_start_meets_is_told_as_it_is()
    {
        var before = await FillAsync();
        await using (var engine = await StartAsync("storage-actors.catalog.snapshot-every = 100000"))
            await engine.Client.Channel.AskAsync<CatalogProtocol.Resolved>(new CatalogProtocol.ChangeNames(before[5].Id, null, ["late"], []));
        Replace(Spoiled(Row(), before.Length), "catalog-4");

        var error = (await Assert.ThrowsAsync<StorageException>(() => StartAsync())).Error;

        Assert.True(JournalFailure.IsUnreadable(error), error.ToString());
        Assert.Equal(2, error.ToString().Split("rebuild").Length); // Its advice, once.
    }

    [Fact]
    public async Task A_word_that_a_catalog_left_when_it_died_goes_when_the_store_stops()
    {
        await using (var engine = await StartAsync())
        {
            StoreFormat.Use(Root, Packed); // As one does that dies before its snapshot is there.
            engine.System.ActorSelection("/user/storage/catalog-*").Tell(Kill.Instance);
            _ = await OutcomeAsync(engine.Client.CreateAsync(null)); // Refused if it was caught.
            await engine.Client.CreateAsync(null);
            Assert.Equal([Packed], StoreFormat.Read(Root)!.Features.Incompatible);
        }

        Assert.Empty(StoreFormat.Read(Root)!.Features.Incompatible);
    }

    [Fact]
    public async Task One_that_has_become_small_can_be_read_by_versions_from_before_again()
    {
        var before = await FillAsync();
        await using (var engine = await StartAsync("storage-actors.catalog.snapshot-every = 100000"))
        {
            foreach (var layer in before[..8]) await engine.Client.RemoveAsync(layer.Id);
        }

        Assert.Empty(StoreFormat.Read(Root)!.Features.Incompatible);
        Assert.False(File.Exists(Path.Combine(Root, "names")));
        Assert.IsNotType<PackedLayers>(Snapshot().Layers);
        Assert.Equal(before[8..].Select(Text), Snapshot().Layers.Select(Text));
        await using var again = await StartAsync();
        Assert.Equal(before[8..].Select(Text), (await again.Client.ListLayersAsync()).Select(Text));
    }

    [Fact]
    public async Task Settings_say_how_many_layers_make_a_store_large()
    {
        await using (var engine = await StartAsync("storage-actors.catalog { snapshot-every = 3, pack-from = 3 }"))
        {
            for (var number = 0; number < 3; number++) await engine.Client.CreateAsync(null);
        }

        Assert.IsType<PackedLayers>(Snapshot().Layers);
        Assert.Equal([Packed], StoreFormat.Read(Root)!.Features.Incompatible);
        await using (await StartAsync("storage-actors.catalog.pack-from = unlimited"))
        {
            // What was packed is not any more when it stops.
        }

        Assert.IsNotType<PackedLayers>(Snapshot().Layers);
        Assert.Equal(3, Snapshot().Layers.Count);
        Assert.Empty(StoreFormat.Read(Root)!.Features.Incompatible);
    }

    [Fact]
    public async Task What_a_crash_left_of_a_change_of_the_format_file_goes_with_the_next_start()
    {
        string[] left = [".format.json.01234567.tmp", ".format.json.89abcdef.tmp"], others = [".format.json.0123456.tmp", ".format.json.0123456x.tmp", ".store.json.01234567.tmp", ".format.json.01234567.tmp~"];
        await using (await StartAsync())
        {
            // Makes the store.
        }

        foreach (var name in left.Concat(others)) await File.WriteAllTextAsync(Path.Combine(Root, name), "{");
        await using (await StartAsync())
        {
            Assert.Equal(others.Order(StringComparer.Ordinal), Directory.GetFiles(Root, ".*").Select(static path => Path.GetFileName(path)).Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public async Task A_rebuild_takes_the_word_back_until_the_new_journal_is_summed_up()
    {
        await FillAsync();
        await StorageEngine.RebuildAsync(Configure(), (_, store) => Open(store.Root), dryRun: false);
        Assert.Empty(StoreFormat.Read(Root)!.Features.Incompatible);
        Assert.DoesNotContain("catalog-4", Query("SELECT group_concat(manifest) FROM snapshot") as string ?? "", StringComparison.Ordinal);
        await using var engine = await StartAsync();
        Assert.Equal(Layers, (await engine.Client.ListLayersAsync()).Count);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("{")]
    public async Task One_that_cannot_say_so_gets_no_packed_snapshot_and_serves_on(string? format)
    {
        var file = Path.Combine(Root, "format.json");
        var was = "";
        LayerRecord[] before;
        await using (var engine = await StartAsync("storage-actors.catalog.snapshot-every = 1"))
        {
            was = await File.ReadAllTextAsync(file);
            if (format is null) File.Delete(file);
            else await File.WriteAllTextAsync(file, format);
            before = await FillAsync(engine);
            Assert.Equal(Layers, before.Length);
        }

        await File.WriteAllTextAsync(file, was);
        Assert.DoesNotContain("catalog-4", Query("SELECT group_concat(manifest) FROM snapshot") as string ?? "", StringComparison.Ordinal);
        await using var again = await StartAsync();
        Assert.Equal(before.Select(Text), (await again.Client.ListLayersAsync()).Select(Text));
    }

    [Fact]
    public async Task Damaged_layers_without_a_directory_are_left_out_of_what_a_start_looks_at()
    {
        var before = await FillAsync();
        var (layout, catalog) = (new StoreLayout(Root, StoreFormat.Read(Root)!.Driver), CatalogState.Empty.Apply(Snapshot()));
        catalog = catalog.Apply([new CatalogEvent.LayerDamaged(before[3].Id, "its bytes are others"), new CatalogEvent.LayerDamaged(before[4].Id, "its bytes are others")]);
        Assert.True(CompareStore.Agrees(catalog, layout));
        Directory.Delete(layout.LayerDirectory(before[3].Id), recursive: true);

        var compared = CompareStore.With(catalog).With(layout);

        Assert.True(compared.Agrees);
        Assert.Equal(before.Where(layer => layer.Id != before[3].Id).Select(static layer => layer.Id.Value).Order(StringComparer.Ordinal), compared.Layers.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task What_comes_and_goes_while_it_is_stopped_is_seen()
    {
        var before = await FillAsync();
        var (home, aside) = (Path.Combine(Root, "directories"), Path.Combine(Elsewhere, "aside"));
        Directory.CreateDirectory(Path.Combine(home, "no id at all"));
        Directory.Move(Path.Combine(home, before[3].Id.Value), aside);
        Assert.Null(StoreReading.TryRead(Root, withMounts: false));

        await using (var engine = await StartAsync())
            Assert.Equal([before[3].Id], (await engine.Client.ListLayersAsync()).Where(static layer => layer.Damage is not null).Select(static layer => layer.Id));

        Assert.NotNull(StoreReading.TryRead(Root, withMounts: false));
        Directory.Move(aside, Path.Combine(home, before[3].Id.Value));
        await using (var engine = await StartAsync())
        {
            Assert.Equal(before.Select(Text), (await engine.Client.ListLayersAsync()).Select(Text));
        }
    }

    [SkippableFact]
    public async Task Its_names_are_listed_when_it_stops_and_not_when_it_starts()
    {
        LieOnTmpfs();
        World.NamesHome = Directory.CreateDirectory(Path.Combine(Elsewhere, "names")).FullName;
        for (var number = 0; number < Layers; number++) await File.WriteAllTextAsync(Path.Combine(World.NamesHome, $"{number}"), "");
        await FillAsync();
        var (layout, catalog) = (new StoreLayout(Root, StoreFormat.Read(Root)!.Driver), CatalogState.Empty.Apply(Snapshot()));
        for (var round = 0; round < 3; round++)
        {
            Assert.Equal(Layers, SeenNames.Read(layout).Of(layout.DriverHome)?.Count);
            Assert.Equal(Layers, SeenNames.Read(layout).Of(World.NamesHome)?.Count);
            Assert.True(LookAtNames.With(catalog).Agrees(layout));
            World.Recoveries = 0;
            await using var engine = await StartAsync();
            Assert.Equal(0, World.Recoveries);
        }

        File.Delete(Path.Combine(World.NamesHome, "0"));
        await using (var engine = await StartAsync()) Assert.Equal(1, World.Recoveries);
        Assert.True(LookAtNames.With(catalog).Agrees(layout));
        Assert.False(LookAtNames.With(catalog.Apply([new CatalogEvent.LayerRemoved(LayerId.Parse("layer-1"))])).Agrees(layout));
        Assert.False(LookAtNames.With(catalog.Apply([new CatalogEvent.LayerDamaged(LayerId.Parse("layer-1"), RecoveryPlan.MissingDirectory)])).Agrees(layout));
        Directory.CreateDirectory(Path.Combine(Root, "images", new string('0', 64)));
        Assert.False(LookAtNames.With(catalog).Agrees(layout));
    }

    /// <summary>A store whose journal is one snapshot.</summary>
    private async Task<LayerRecord[]> FillAsync()
    {
        await using var engine = await StartAsync($"storage-actors.catalog.snapshot-every = {Layers}");
        return await FillAsync(engine);
    }

    private static async Task<LayerRecord[]> FillAsync(StorageEngine engine)
    {
        await Parallel.ForEachAsync(Enumerable.Range(0, Layers), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (number, stop) =>
            await engine.Client.CreateAsync(null, new StoreProtocol.LayerSpec(LayerId.Parse($"layer-{number}"), [$"name-of-{number}"]), stop));
        return [.. await engine.Client.ListLayersAsync()];
    }

    private CatalogEvent.Snapshot Snapshot() => Assert.IsType<CatalogEvent.Snapshot>(
        Assert.Single(JournalAccess.Read(Journal, isOwned: false, static journal => journal.Read("catalog").ToList())));

    private byte[] Row() => (byte[])Query("SELECT snapshot FROM snapshot WHERE persistence_id = 'catalog'")!;

    /// <summary>With a right checksum around so many records, from the first one on, whose last byte is not theirs.</summary>
    private static byte[] Spoiled(byte[] row, int records)
    {
        const int count = 24, ends = 41;
        var layers = ends + (sizeof(int) * BinaryPrimitives.ReadInt32LittleEndian(row.AsSpan(count)));
        for (var i = 0; i < records; i++) row[layers + BinaryPrimitives.ReadInt32LittleEndian(row.AsSpan(ends + (sizeof(int) * i))) - 1] = (byte)'x';
        BinaryPrimitives.WriteUInt64LittleEndian(row, Crc64.Compute(row.AsSpan(8)));
        return row;
    }

    private void Replace(byte[] row, string manifest) =>
        Query("UPDATE snapshot SET snapshot = @row, manifest = @manifest WHERE persistence_id = 'catalog'", ("@row", row), ("@manifest", manifest));

    private object? Query(string sql, params (string Name, object Value)[] values)
    {
        using var connection = new SqliteConnection($"Data Source={Journal};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in values) command.Parameters.AddWithValue(name, value);
        return command.ExecuteScalar();
    }

    private sealed class Ear : ReceiveActor
    {
        public Ear(ConcurrentQueue<string> heard) => Receive<Error>(error => heard.Enqueue($"{error.Message}"));
    }

    private static string Text(LayerRecord layer) => Encoding.UTF8.GetString(StoreJson.Write(new LayerFile.Content(1, layer)));
}
