using Akka.Actor;
using StorageActors.Drivers;
using StorageActors.Protocol;
using Xunit;

namespace StorageActors.EngineTests.Flows;

/// <summary>What was left half done is not forgotten until a start has come to the end of putting it right.</summary>
public sealed class UnsettledTests : StoreTest
{
    private string Mark => Path.Combine(Root, "unsettled");

    [Fact]
    public async Task What_a_death_left_is_put_right_by_the_first_start_that_comes_to_its_end()
    {
        LayerId layer;
        await using (var engine = await StartAsync()) layer = (await engine.Client.ApplyAsync(Chain("base")))[0].Layer.Id;
        File.WriteAllText(Path.Combine(Root, "journal.db-wal"), ""); // The journal was not closed.
        World.RecoveryTrouble = new PermanentDriverException(new StorageError(StorageErrorCode.Io, "recover", "the disk failed"));
        Assert.Equal(StorageErrorCode.Io, await RefusedAsync(StartAsync()));
        Assert.False(File.Exists(Path.Combine(Root, "journal.db-wal")), "the start that failed did not close the journal");
        Assert.True(File.Exists(Mark));

        World.RecoveryTrouble = null;
        await AssertIsThoroughAsync("", layer);
        Assert.False(File.Exists(Mark));
    }

    [Fact]
    public async Task A_store_that_broke_before_it_stopped_is_put_right_by_the_next_start()
    {
        LayerId layer;
        await using (var engine = await StartAsync())
        {
            layer = (await engine.Client.ApplyAsync(Chain("base")))[0].Layer.Id;
            engine.System.ActorSelection("/user/storage/trash").Tell(Kill.Instance);
            while (await OutcomeAsync(engine.Client.CreateAsync(null)) is null)
            {
                // It serves until it has missed what it cannot be without.
            }

            Assert.False(File.Exists(Mark));
        }

        Assert.True(File.Exists(Mark));
        await AssertIsThoroughAsync("", layer);
        Assert.False(File.Exists(Mark));
    }

    /// <summary>No log beside it tells of a death.</summary>
    [Fact]
    public async Task A_store_whose_journal_lies_elsewhere_is_marked_from_its_start_to_its_stop()
    {
        var elsewhere = $"storage-actors.journal.connection-string = \"Data Source={Elsewhere}/other.db\"\nstorage-actors.snapshots.connection-string = \"Data Source={Elsewhere}/other.db\"";
        LayerId layer;
        await using (var engine = await StartAsync(elsewhere))
        {
            layer = (await engine.Client.ApplyAsync(Chain("base")))[0].Layer.Id;
            Assert.True(File.Exists(Mark));
        }

        Assert.False(File.Exists(Mark));
        File.WriteAllText(Mark, ""); // As a death leaves it.
        await AssertIsThoroughAsync(elsewhere, layer);
        Assert.False(File.Exists(Mark));
    }

    /// <summary>A start that takes nothing for granted removes what a death left in a layer's directory.</summary>
    private async Task AssertIsThoroughAsync(string settings, LayerId layer)
    {
        var left = Path.Combine(Root, "directories", layer.Value, ".layer.json.12345678.tmp");
        File.WriteAllText(left, "{");
        await using var engine = await StartAsync(settings);
        Assert.False(File.Exists(left), "the start took the store for one that had come to rest");
        Assert.Contains(layer, (await engine.Client.ListLayersAsync()).Select(static one => one.Id));
    }
}
