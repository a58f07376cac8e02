using System.Text.Json;
using StorageActors.Client;
using StorageActors.Engine;
using StorageActors.EngineTests.Flows;
using StorageActors.Protocol;
using StorageActors.Settings;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.EngineTests.Reading;

/// <summary>The store as it is read past its engine, against what the engine says itself.</summary>
public sealed class ReadingChannelTests : StoreTest
{
    [Fact]
    public async Task What_was_acknowledged_is_read_beside_the_owner_at_once()
    {
        await using var engine = await StartAsync("storage-actors.catalog.snapshot-every = 2");
        var layers = (await engine.Client.ApplyAsync(Chain("base", "middle", "top"))).Select(static one => one.Layer.Id).ToList();
        await AssertSameAsync(engine.Client, Read());
        await NameAsync(engine, layers[0], "some-name");
        await AssertSameAsync(engine.Client, Read());
        await NameAsync(engine, layers[1], "other-name");
        var box = await engine.Client.CreateAsync(layers[2], new StoreProtocol.LayerSpec(LayerId.Parse("box"), ["box-name"], new Dictionary<string, string> { ["k"] = "v" }));
        await AssertSameAsync(engine.Client, Read());
        Assert.Equal(box.Id, (await Read().ResolveAsync("box-name")).Layer!.Id);
        Assert.Equal(layers[0], (await Read().ResolveAsync(layers[0].Value[..8])).Layer!.Id);
        Assert.Equal(StorageErrorCode.NotFound, await RefusedAsync(Read().ResolveAsync("nothing-such")));
        await engine.Client.RemoveAsync(box.Id);
        await AssertSameAsync(engine.Client, Read());
        Assert.Equal(StorageErrorCode.NotFound, await RefusedAsync(Read().ResolveAsync("box-name")));
    }

    [Fact]
    public async Task Without_an_owner_it_is_read_as_the_next_one_will_find_it()
    {
        IReadOnlyList<LayerRecord> before;
        await using (var engine = await StartAsync("storage-actors.catalog.snapshot-every = 2"))
        {
            await engine.Client.ApplyAsync(Chain("base", "middle", "top"));
            await engine.Client.CreateAsync(null, new StoreProtocol.LayerSpec(LayerId.Parse("box")));
            before = await engine.Client.ListLayersAsync();
        }

        var read = Read();
        Assert.Equal(Json(before), Json(await read.ListLayersAsync()));
        await using var next = await StartAsync();
        await AssertSameAsync(next.Client, read);
    }

    [Fact]
    public async Task A_store_without_an_owner_says_of_itself_what_its_engine_would()
    {
        var vacant = Inspect()!; // What a store would be.
        Assert.Equal((Root, "", "directories"), (vacant.Root, vacant.StoreId, vacant.Driver));
        Assert.False(File.Exists(Path.Combine(Root, "format.json")));
        StoreProtocol.Info said;
        await using (var engine = await StartAsync())
        {
            await engine.Client.ApplyAsync(Chain("base", "top"));
            said = await engine.Client.Channel.AskAsync<StoreProtocol.Info>(new StoreProtocol.GetInfo());
            Assert.Equal(StorageErrorCode.InUse, Assert.Throws<StorageException>(() => Inspect()).Error.Code);
        }

        Assert.Equal(Json(Settled(said)), Json(Settled(Inspect()!)));
        await using var next = await StartAsync(); // It was given back.
    }

    /// <summary>Without the number of commands that run: a command that has its answer may be about to end.</summary>
    private static StoreProtocol.Info Settled(StoreProtocol.Info info) => info with { Facts = [.. info.Facts.Where(static fact => fact.Name != "running commands")] };

    private StoreProtocol.Info? Inspect() => EngineInspection.Run(
        StorageSettings.From(Configure().WithFallback(StorageConfiguration.Reference), StorageSettings.DefaultPath), (_, store) => Open(store.Root), TimeProvider.System);

    [Fact]
    public async Task What_only_an_owner_can_say_is_left_to_the_owner()
    {
        Assert.Null(ReadingChannel.TryOpen(Root));
        await using (var engine = await StartAsync())
        {
            await engine.Client.ApplyAsync(Chain("base"));
            Assert.NotNull(ReadingChannel.TryOpen(Root));
            Assert.Null(ReadingChannel.TryOpen(Root, withMounts: true));
            Assert.Equal(StorageErrorCode.Unsupported, await RefusedAsync(Read().CreateAsync(null)));
            Assert.Equal(StorageErrorCode.Unsupported, await RefusedAsync(Read().ListMountsAsync()));
        }
    }

    [Fact]
    public async Task What_a_crash_left_is_for_the_next_owner_to_settle_first()
    {
        LayerId id;
        await using (var engine = await StartAsync()) id = (await engine.Client.ApplyAsync(Chain("base")))[0].Layer.Id;
        var path = Path.Combine(Root, "directories", id.Value);
        Directory.Move(path, path + ".away");
        Assert.Null(ReadingChannel.TryOpen(Root));
        Directory.Move(path + ".away", path);
        Assert.NotNull(ReadingChannel.TryOpen(Root));
        var unknown = Directory.CreateDirectory(Path.Combine(Root, "directories", "unknown-layer"));
        Assert.Null(ReadingChannel.TryOpen(Root));
        unknown.Delete();
        File.Delete(Path.Combine(Root, "journal.db"));
        Assert.Null(ReadingChannel.TryOpen(Root));
    }

    [Fact]
    public async Task A_journal_that_is_kept_elsewhere_is_not_mistaken_for_the_one_here()
    {
        await using (var engine = await StartAsync()) await engine.Client.ApplyAsync(Chain("base"));
        var elsewhere = $"storage-actors.journal.connection-string = \"Data Source={Elsewhere}/other.db\"\nstorage-actors.snapshots.connection-string = \"Data Source={Elsewhere}/other.db\"";
        await using var other = await StartAsync(elsewhere);
        Assert.Null(ReadingChannel.TryOpen(Root));
    }

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_store_on_a_read_only_file_system_is_read_whatever_its_owner_left(bool killed)
    {
        RequiredTiers.SkipUnlessRoot();
        var copy = Path.Combine(Elsewhere, "copy");
        string expected;
        var engine = await StartAsync();
        try
        {
            await engine.Client.ApplyAsync(Chain("base", "top"));
            expected = Json(await engine.Client.ListLayersAsync());
            // What a power cut leaves: the last writes are in the log, and the index of the log is lost.
            if (killed) Command.Run("cp", "-a", Root, copy);
        }
        finally
        {
            await engine.DisposeAsync();
        }

        if (!killed) Command.Run("cp", "-a", Root, copy);
        Assert.Equal(killed, File.Exists(Path.Combine(copy, "journal.db-wal")) && new FileInfo(Path.Combine(copy, "journal.db-wal")).Length > 0);
        File.Delete(Path.Combine(copy, "journal.db-shm"));
        Command.Run("mount", "--bind", copy, copy);
        try
        {
            Command.Run("mount", "-o", "remount,bind,ro", copy);
            Assert.Equal(expected, Json(await new StorageClient(ReadingChannel.TryOpen(copy)!).ListLayersAsync()));
        }
        finally
        {
            TempDirectory.Unmount(copy);
        }
    }

    [Fact]
    public async Task Readers_beside_a_busy_writer_see_whole_moments_in_order()
    {
        await using var engine = await StartAsync("storage-actors.catalog.snapshot-every = 5");
        using var done = new CancellationTokenSource();
        var readers = Enumerable.Range(0, 2).Select(_ => Task.Run(() => ReadUntil(done.Token))).ToList();
        try
        {
            for (var round = 0; round < 15; round++)
            {
                var layers = (await engine.Client.ApplyAsync(Chain($"base {round}", $"top {round}"))).Select(static one => one.Layer.Id).ToList();
                await engine.Client.Channel.AskAsync<CatalogProtocol.Resolved>(new CatalogProtocol.ChangeNames(layers[1], null, ["latest"], [], Steal: true));
                if (round % 2 == 0) continue;
                await engine.Client.RemoveAsync(layers[1]);
                await engine.Client.RemoveAsync(layers[0]);
            }
        }
        finally
        {
            await done.CancelAsync();
        }

        foreach (var readings in await Task.WhenAll(readers)) Assert.True(readings > 0, "nothing was read");
        await AssertSameAsync(engine.Client, Read());
    }

    private async Task<int> ReadUntil(CancellationToken done)
    {
        var readings = 0;
        do
        {
            var layers = await Read().ListLayersAsync(CancellationToken.None);
            var known = new HashSet<LayerId>();
            foreach (var layer in layers)
            {
                Assert.True(layer.Parent is not { } parent || known.Contains(parent), "a layer without its parent");
                Assert.True(known.Add(layer.Id), "a layer twice");
            }

            Assert.True(layers.Count(static layer => layer.Names.Contains("latest")) <= 1, "a name twice");
            readings++;
        }
        while (!done.IsCancellationRequested);
        return readings;
    }

    private StorageClient Read() => new(ReadingChannel.TryOpen(Root) ?? throw new InvalidOperationException("the store cannot be read from outside"));

    private static Task NameAsync(StorageEngine engine, LayerId layer, string name) =>
        engine.Client.Channel.AskAsync<CatalogProtocol.Resolved>(new CatalogProtocol.ChangeNames(layer, null, [name], []));

    private static async Task AssertSameAsync(StorageClient engine, StorageClient read)
    {
        Assert.Equal(Json(await engine.ListLayersAsync()), Json(await read.ListLayersAsync()));
        Assert.Equal(Json(await engine.ListImagesAsync()), Json(await read.ListImagesAsync()));
    }

    private static string Json<T>(T value) => JsonSerializer.Serialize(value);
}
