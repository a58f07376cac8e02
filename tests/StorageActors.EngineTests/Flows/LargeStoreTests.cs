using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using StorageActors.Archive.Digests;
using StorageActors.Engine;
using StorageActors.Journal;
using StorageActors.Protocol;
using StorageActors.Reading;
using StorageActors.Records;
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
            // Commands before the first list: none of them has read all records.
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
        Replace(bytes, "catalog-2");
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
        foreach (var (row, manifest) in new[] { (bytes[..^1], "catalog-2"), ([.. bytes[..^9], (byte)(bytes[^9] ^ 1), .. bytes[^8..]], "catalog-2"), ([], "catalog-2"), (bytes, "catalog-9") })
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

    /// <summary>A store whose journal is one snapshot.</summary>
    private async Task<LayerRecord[]> FillAsync()
    {
        await using var engine = await StartAsync($"storage-actors.catalog.snapshot-every = {Layers}");
        await Parallel.ForEachAsync(Enumerable.Range(0, Layers), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (number, stop) =>
            await engine.Client.CreateAsync(null, new StoreProtocol.LayerSpec(LayerId.Parse($"layer-{number}"), [$"name-of-{number}"]), stop));
        return [.. await engine.Client.ListLayersAsync()];
    }

    private CatalogEvent.Snapshot Snapshot() => Assert.IsType<CatalogEvent.Snapshot>(
        Assert.Single(JournalAccess.Read(Journal, isOwned: false, static journal => journal.Read("catalog").ToList())));

    private byte[] Row() => (byte[])Query("SELECT snapshot FROM snapshot WHERE persistence_id = 'catalog'")!;

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

    private static string Text(LayerRecord layer) => Encoding.UTF8.GetString(StoreJson.Write(new LayerFile.Content(1, layer)));
}
