using System.Collections.Concurrent;
using Akka.Actor;
using StorageActors.Drivers;
using StorageActors.Engine;
using StorageActors.Protocol;
using Xunit;

namespace StorageActors.EngineTests.Flows;

/// <summary>What fails, fails alone, and comes back.</summary>
public sealed class SupervisionTests : StoreTest
{
    private readonly ConcurrentQueue<string> _tries = new();

    [Fact]
    public async Task A_transient_failure_is_tried_again_until_it_succeeds()
    {
        await using var engine = await StartAsync();
        var layer = (await engine.Client.ApplyAsync(Chain("base")))[0].Layer.Id;
        FailTimes(3, "mount", static error => new TransientDriverException(error));

        await using var lease = await engine.Client.MountAsync(layer);

        Assert.Equal(4, _tries.Count);
        Assert.Single(World.Mounts);
    }

    [Fact]
    public async Task A_transient_failure_that_stays_is_refused_and_leaves_nothing()
    {
        await using var engine = await StartAsync();
        var layer = (await engine.Client.ApplyAsync(Chain("base")))[0].Layer.Id;
        FailTimes(int.MaxValue, "mount", static error => new TransientDriverException(error));

        var refused = await Assert.ThrowsAsync<StorageException>(() => engine.Client.MountAsync(layer));

        Assert.Equal(StorageErrorCode.Busy, refused.Error.Code);
        Assert.Contains($"tried {_tries.Count} times", refused.Error.Message, StringComparison.Ordinal);
        Assert.Empty(await engine.Client.ListMountsAsync());
        World.Trouble = null;
        await using var lease = await engine.Client.MountAsync(layer);
    }

    [Fact]
    public async Task A_permanent_failure_is_refused_at_once()
    {
        await using var engine = await StartAsync();
        var layer = (await engine.Client.ApplyAsync(Chain("base")))[0].Layer.Id;
        FailTimes(int.MaxValue, "mount", static error => new PermanentDriverException(error));

        await Assert.ThrowsAsync<StorageException>(() => engine.Client.MountAsync(layer));

        Assert.Single(_tries);
    }

    [Fact]
    public async Task A_defect_in_a_driver_refuses_one_command_and_nothing_else_notices()
    {
        await using var engine = await StartAsync();
        var layers = (await engine.Client.ApplyAsync(Chain("base", "top"))).Select(static one => one.Layer.Id).ToArray();
        World.Trouble = (operation, layer) =>
        {
            if (operation == "mount" && layer == layers[0]) throw new InvalidOperationException("a defect");
        };

        Assert.Equal(StorageErrorCode.Internal, await RefusedAsync(engine.Client.MountAsync(layers[0])));
        await using var lease = await engine.Client.MountAsync(layers[1]);
    }

    [Fact]
    public async Task A_catalog_that_dies_comes_back_with_all_that_was_answered_while_mounts_stay()
    {
        await using var engine = await StartAsync();
        var layers = (await engine.Client.ApplyAsync(new StoreProtocol.Apply(null, [Item("base"), Item("top", name: "n")]))).Select(static one => one.Layer.Id).ToArray();
        await engine.Client.PutImageAsync(new CatalogProtocol.PutImage(ImageId.Of(DiffOf("c")), ["i"], layers, null, [new BigData("config", [1])]));
        await using var lease = await engine.Client.MountAsync(layers[1]);
        var caught = engine.Client.ApplyAsync(Chain("hold:gate:x"));
        await World.ExtractionsAsync(3);

        Kill(engine, "/user/storage/catalog-*");

        Assert.NotNull(await OutcomeAsync(caught)); // What waits for the journal is refused, and leaves nothing.
        World.Open("gate");
        var named = await engine.Client.Channel.AskAsync<CatalogProtocol.Resolved>(new CatalogProtocol.ChangeNames(layers[0], null, ["late"], []));
        Assert.Equal(["late"], named.Layer!.Names);
        Assert.Equal(layers, (await engine.Client.ListLayersAsync()).Select(static layer => layer.Id));
        Assert.Equal(layers, (await engine.Client.ResolveAsync("i")).Image!.Layers);
        Assert.Equal(layers[1], Assert.Single(await engine.Client.ListMountsAsync()).Layer);
        Assert.Empty(await engine.Client.CheckAsync(full: true));
        await AssertAtRestAsync(engine);
    }

    [Fact]
    public async Task A_layers_actor_that_dies_comes_back_with_its_leases()
    {
        await using var engine = await StartAsync();
        var layers = (await engine.Client.ApplyAsync(Chain("base", "top"))).Select(static one => one.Layer.Id).ToArray();
        foreach (var layer in layers)
        {
            await engine.Client.MountAsync(layer, lease: LeaseId.Parse("one"), outlive: true);
            await engine.Client.MountAsync(layer, lease: LeaseId.Parse("two"), outlive: true);
        }

        Kill(engine, "/user/storage/layers/*");

        foreach (var layer in layers)
        {
            Assert.Equal(1, await engine.Client.UnmountAsync(layer, LeaseId.Parse("one")));
            Assert.Equal(0, await engine.Client.UnmountAsync(layer, LeaseId.Parse("two")));
        }

        Assert.Empty(World.Mounts);
    }

    [Fact]
    public async Task A_damaged_layer_is_one_damaged_layer_what_rests_on_it_says_so_and_all_else_works()
    {
        await using var engine = await StartAsync();
        var chain = (await engine.Client.ApplyAsync(Chain("base", "middle", "top"))).Select(static one => one.Layer.Id).ToArray();
        var other = (await engine.Client.ApplyAsync(Chain("other")))[0].Layer.Id;
        Assert.Equal(0, await UseAsync(engine, chain[2])); // Its actor is there when the damage is found.
        var content = Path.Combine(Root, "directories", chain[1].Value, "diff", "content");
        await File.WriteAllTextAsync(content, "MIDDLE");

        Assert.Equal([chain[1].Value], (await engine.Client.CheckAsync(repair: true)).Select(static finding => finding.Subject));

        var layers = await engine.Client.ListLayersAsync();
        Assert.Equal([chain[1]], layers.Where(static layer => layer.Damage is not null).Select(static layer => layer.Id));
        var refused = await Assert.ThrowsAsync<StorageException>(() => engine.Client.MountAsync(chain[2]));
        Assert.Equal(StorageErrorCode.Damaged, refused.Error.Code);
        Assert.Contains(chain[1].Value, refused.Error.Message, StringComparison.Ordinal);
        Assert.Equal(StorageErrorCode.Damaged, await RefusedAsync(engine.Client.CreateAsync(chain[2])));
        Assert.Equal(StorageErrorCode.Damaged, await RefusedAsync(engine.Client.MountAsync(chain[1])));
        Assert.NotEqual(chain, (await engine.Client.ApplyAsync(Chain("base", "middle", "top") with { Reuse = true })).Select(static one => one.Layer.Id));
        Assert.Equal(0, await UseAsync(engine, chain[0]));
        Assert.Equal(0, await UseAsync(engine, other));

        await File.WriteAllTextAsync(content, "middle");
        Assert.All(await engine.Client.CheckAsync(full: true, repair: true), static finding => Assert.True(finding.Repaired));
        Assert.Equal(0, await UseAsync(engine, chain[2]));
    }

    private static async Task<int> UseAsync(StorageEngine engine, LayerId layer)
    {
        await engine.Client.MountAsync(layer, lease: LeaseId.Parse("use"), outlive: true);
        return await engine.Client.UnmountAsync(layer);
    }

    private static void Kill(StorageEngine engine, string actors) => engine.System.ActorSelection(actors).Tell(Akka.Actor.Kill.Instance);

    private void FailTimes(int times, string what, Func<StorageError, Exception> failure) => World.Trouble = (operation, layer) =>
    {
        if (operation != what) return;
        _tries.Enqueue(operation);
        if (_tries.Count <= times) throw failure(new StorageError(StorageErrorCode.Busy, operation, "not now"));
    };
}
