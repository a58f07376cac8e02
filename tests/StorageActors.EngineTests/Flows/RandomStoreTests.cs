using StorageActors.Engine;
using StorageActors.Protocol;
using Xunit;
using Xunit.Abstractions;

namespace StorageActors.EngineTests.Flows;

/// <summary>
/// A whole engine under random commands of many requesters at once, who all want the same few ids, names and contents. What they are told is compared with the
/// rules: see <see cref="StoreWitness"/>. A failure names its seed.
/// </summary>
public sealed class RandomStoreTests(ITestOutputHelper output) : StoreTest
{
    private const int Requesters = 6;
    private const int Commands = 120;

    private static readonly LayerId[] Ids = [.. Enumerable.Range(0, 8).Select(static number => LayerId.Parse($"layer-{number}"))];
    private static readonly string[] Names = ["one", "two", "three", "four"];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Whatever_many_requesters_want_at_once_the_rules_hold(int seed)
    {
        output.WriteLine($"seed {seed}");
        await using var engine = await StartAsync("storage-actors.catalog.snapshot-every = 1000000");
        var witness = new StoreWitness(engine, Root, World);
        witness.Listen();
        await Task.WhenAll(Enumerable.Range(0, Requesters).Select(number => Task.Run(() => RequestAsync(witness, new Random((seed * 100) + number), number))))
            .WaitAsync(TimeSpan.FromMinutes(9));

        foreach (var mount in await engine.Client.ListMountsAsync())
            await engine.Client.Channel.AskAsync<LayerProtocol.Released>(new LayerProtocol.ReleaseAll(mount.Layer));
        Assert.Empty(World.Mounts);
        await AssertAtRestAsync(engine);
        await witness.AssertHistoryAsync();
    }

    private async Task RequestAsync(StoreWitness witness, Random random, int number)
    {
        for (var step = 0; step < Commands; step++)
        {
            await witness.AskAsync(Choose(random, number));
            if (random.Next(8) == 0) witness.AssertMoment(await witness.AskAsync(new CatalogProtocol.ListLayers()));
        }
    }

    private StoreProtocol.ICommand Choose(Random random, int number)
    {
        var id = Pick(random, Ids);
        return random.Next(100) switch
        {
            < 14 => new StoreProtocol.Apply(Parent(random), [ItemOf(random)], Reuse: random.Next(2) == 0),
            < 18 => new StoreProtocol.Apply(Parent(random), [ItemOf(random), ItemOf(random)], Reuse: true),
            < 30 => new StoreProtocol.Create(Parent(random), new StoreProtocol.LayerSpec(id, random.Next(3) == 0 ? [Pick(random, Names)] : null)),
            < 44 => new LayerProtocol.Acquire(id, Lease(random, number), new MountOptions(random.Next(3) == 0)),
            < 58 => new LayerProtocol.Release(id, random.Next(6) == 0 ? null : Lease(random, number)),
            < 63 => new LayerProtocol.ReleaseAll(id),
            < 80 => new StoreProtocol.Remove(id, Force: random.Next(2) == 0),
            < 86 => new StoreProtocol.Seal(id, random.Next(3) == 0 ? [Pick(random, Names)] : null),
            < 92 => new CatalogProtocol.ChangeNames(id, null, [Pick(random, Names)], random.Next(4) == 0 ? [Pick(random, Names)] : [], Steal: random.Next(2) == 0),
            < 95 => new StoreProtocol.GetChanges(id),
            < 98 => new StoreProtocol.WriteDiff(id, null, new BlobTarget(Path.Combine(Elsewhere, $"diff-{number}-{random.Next(1_000_000)}"))),
            _ => new CatalogProtocol.ChangeLabels(id, new Dictionary<string, string> { ["k"] = $"{number}" }),
        };
    }

    /// <summary>The same few contents again and again: some are known before, some are on their way.</summary>
    private StoreProtocol.ChainItem ItemOf(Random random) => Item(
        $"content {random.Next(3)}", Pick(random, Ids).Value, random.Next(3) == 0 ? Pick(random, Names) : null, known: random.Next(2) == 0);

    private static LayerId? Parent(Random random) => random.Next(4) > 0 ? null : Pick(random, Ids);

    /// <summary>Mostly a lease of one's own, now and then one that all fight for.</summary>
    private static LeaseId Lease(Random random, int number) => LeaseId.Parse(random.Next(4) == 0 ? "common" : $"lease-{number}-{random.Next(2)}");

    private static T Pick<T>(Random random, T[] items) => items[random.Next(items.Length)];
}
