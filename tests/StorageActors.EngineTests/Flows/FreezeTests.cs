using StorageActors.Drivers;
using StorageActors.Protocol;
using Xunit;

namespace StorageActors.EngineTests.Flows;

/// <summary>Layers that clients fill and freeze.</summary>
public sealed class FreezeTests : StoreTest
{
    private static readonly Dictionary<string, string> Labels = new() { ["k"] = "new" };

    [Fact]
    public async Task A_layer_is_frozen_as_it_is_and_gets_its_digest_later()
    {
        await using var engine = await StartAsync();
        var made = await engine.Client.CreateAsync(null, new StoreProtocol.LayerSpec(LayerId.Parse("work"), ["old"], new Dictionary<string, string> { ["k"] = "old", ["l"] = "x" }));
        await File.WriteAllTextAsync(ContentOf("work"), "written");

        var frozen = await engine.Client.FreezeAsync(new StoreProtocol.Freeze(made.Id, ["new"], Labels));

        Assert.Equal((LayerKind.Sealed, null, null), (frozen.Kind, frozen.DiffId, frozen.ChainId));
        Assert.Equal(["new"], frozen.Names);
        Assert.Equal(("k", "new"), (Assert.Single(frozen.Labels).Key, frozen.Labels["k"]));
        Assert.Equal(StorageErrorCode.WrongState, await RefusedAsync(engine.Client.FreezeAsync(new StoreProtocol.Freeze(made.Id))));
        var child = await engine.Client.CreateAsync(made.Id);
        await engine.Client.SealAsync(child.Id);
        Assert.Null((await engine.Client.ResolveAsync(child.Id.Value)).Layer!.ChainId);
        Assert.Equal(DiffOf("written"), (await engine.Client.SealAsync(made.Id)).DiffId);
        await AssertAtRestAsync(engine);
    }

    [Fact]
    public async Task A_layer_without_a_parent_is_put_onto_one_and_any_other_stays()
    {
        await using var engine = await StartAsync();
        var below = (await engine.Client.ApplyAsync(Chain("base")))[0].Layer.Id;
        var (free, bound) = (await engine.Client.CreateAsync(null), await engine.Client.CreateAsync(below));
        var other = await engine.Client.CreateAsync(null);

        Assert.Equal(StorageErrorCode.NotFound, await RefusedAsync(FreezeAsync(free.Id, LayerId.Parse("nobody"))));
        Assert.Equal(StorageErrorCode.WrongState, await RefusedAsync(FreezeAsync(free.Id, other.Id)));
        Assert.Equal(StorageErrorCode.InvalidArgument, await RefusedAsync(FreezeAsync(bound.Id, (await FreezeAsync(other.Id, null)).Id)));
        Assert.Equal(below, (await FreezeAsync(free.Id, below)).Parent);
        Assert.Equal(StorageErrorCode.InUse, await RefusedAsync(engine.Client.RemoveAsync(below)));
        Assert.Equal(below, (await FreezeAsync(bound.Id, below)).Parent);

        Task<LayerRecord> FreezeAsync(LayerId layer, LayerId? parent) => engine.Client.FreezeAsync(new StoreProtocol.Freeze(layer, Parent: parent));
    }

    [Fact]
    public async Task A_driver_that_copies_what_is_below_cannot_move_a_layer()
    {
        await using var engine = await StartAsync(capabilities: DirectoryDriver.All & ~DriverCapabilities.Rebase);
        var below = (await engine.Client.ApplyAsync(Chain("base")))[0].Layer.Id;
        var layer = await engine.Client.CreateAsync(null);
        Assert.Equal(StorageErrorCode.Unsupported, await RefusedAsync(engine.Client.FreezeAsync(new StoreProtocol.Freeze(layer.Id, Parent: below))));
        await engine.Client.FreezeAsync(new StoreProtocol.Freeze(layer.Id));
    }

    [Fact]
    public async Task Nothing_is_frozen_while_it_is_written_to_nor_under_a_name_that_is_taken()
    {
        await using var engine = await StartAsync();
        var layer = await engine.Client.CreateAsync(null);
        await engine.Client.CreateAsync(null, new StoreProtocol.LayerSpec(null, ["taken"]));
        await using (await engine.Client.MountAsync(layer.Id))
        {
            Assert.Equal(StorageErrorCode.InUse, await RefusedAsync(engine.Client.FreezeAsync(new StoreProtocol.Freeze(layer.Id))));
        }

        Assert.Equal(StorageErrorCode.AlreadyExists, await RefusedAsync(engine.Client.FreezeAsync(new StoreProtocol.Freeze(layer.Id, ["taken"]))));
        Assert.Equal(LayerKind.Writable, (await engine.Client.ResolveAsync(layer.Id.Value)).Layer!.Kind);
        await using var lease = await engine.Client.MountAsync(layer.Id);
    }

    [Fact]
    public async Task What_was_filled_has_its_digest_when_it_is_frozen_and_is_filled_once()
    {
        await using var engine = await StartAsync();
        var layer = await engine.Client.CreateAsync(null);
        var filled = await FillAsync(engine, layer.Id, "content");
        Assert.Equal(DiffOf("content"), filled.DiffId);
        Assert.Equal(StorageErrorCode.WrongState, await RefusedAsync(FillAsync(engine, layer.Id, "content")));
        Assert.Equal(StorageErrorCode.WrongState, await RefusedAsync(engine.Client.SealAsync(layer.Id)));
        var frozen = await engine.Client.FreezeAsync(new StoreProtocol.Freeze(layer.Id, Labels: Labels));
        Assert.Equal((DiffOf("content"), DiffOf("content"), "k"), (frozen.DiffId, frozen.ChainId, Assert.Single(frozen.Labels).Key));
    }

    [Fact]
    public async Task What_was_filled_half_way_can_only_be_removed()
    {
        await using var engine = await StartAsync();
        var layer = await engine.Client.CreateAsync(null);
        Assert.Equal(StorageErrorCode.BadInput, await RefusedAsync(FillAsync(engine, layer.Id, "fail: in the middle")));
        Assert.Equal(StorageErrorCode.WrongState, await RefusedAsync(FillAsync(engine, layer.Id, "content")));
        Assert.Equal(StorageErrorCode.WrongState, await RefusedAsync(engine.Client.FreezeAsync(new StoreProtocol.Freeze(layer.Id))));
        await engine.Client.RemoveAsync(layer.Id);
        await AssertAtRestAsync(engine);
    }

    [Fact]
    public async Task What_waits_to_be_frozen_when_the_engine_stops_is_not_frozen_by_the_next()
    {
        LayerId layer;
        await using (var engine = await StartAsync())
        {
            layer = (await engine.Client.CreateAsync(null)).Id;
            await FillAsync(engine, layer, "content");
        }

        await using var next = await StartAsync();
        Assert.Equal(StorageErrorCode.WrongState, await RefusedAsync(next.Client.FreezeAsync(new StoreProtocol.Freeze(layer))));
        await next.Client.RemoveAsync(layer);
    }

    [Fact]
    public async Task What_a_client_holds_is_shown_and_left_alone()
    {
        await using var engine = await StartAsync();
        var held = new Dictionary<string, string> { [LayerLabels.HeldBy] = "client:box", [LayerLabels.HeldReadOnly] = "true" };
        var layer = (await engine.Client.CreateAsync(null, new StoreProtocol.LayerSpec(null, null, held))).Id;
        var shown = Assert.Single(await engine.Client.ListMountsAsync());
        Assert.Equal((layer, "", MountMode.ReadOnly, "client:box"), (shown.Layer, shown.Path, shown.Mode, Assert.Single(shown.Leases).Lease.Value));
        Assert.Equal(StorageErrorCode.InUse, await RefusedAsync(engine.Client.MountAsync(layer)));
        Assert.Equal(StorageErrorCode.InUse, await RefusedAsync(engine.Client.SealAsync(layer)));
        Assert.Equal(StorageErrorCode.InUse, await RefusedAsync(engine.Client.RemoveAsync(layer)));
        await engine.Client.FreezeAsync(new StoreProtocol.Freeze(layer, Labels: held));
        Assert.Empty(await engine.Client.ListMountsAsync());
        Assert.Equal(StorageErrorCode.InUse, await RefusedAsync(engine.Client.RemoveAsync(layer)));
        await engine.Client.Channel.AskAsync<StoreProtocol.LayerRemoved>(new StoreProtocol.Remove(layer, HeldBy: "client:box"));
    }

    private Task<StoreProtocol.LayerFilled> FillAsync(Engine.StorageEngine engine, LayerId layer, string text) =>
        engine.Client.Channel.AskAsync<StoreProtocol.LayerFilled>(new StoreProtocol.Fill(layer, Blob(text), new StoreProtocol.Expectations()));

    private string ContentOf(string layer) => Path.Combine(Root, "directories", layer, "diff", "content");
}
