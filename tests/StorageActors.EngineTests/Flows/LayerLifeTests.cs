using StorageActors.Drivers;
using StorageActors.Protocol;
using Xunit;

namespace StorageActors.EngineTests.Flows;

public sealed class LayerLifeTests : StoreTest
{
    [Fact]
    public async Task A_writable_layer_is_made_written_to_and_sealed()
    {
        await using var engine = await StartAsync();
        var parent = (await engine.Client.ApplyAsync(Chain("base")))[0].Layer;
        var made = await engine.Client.CreateAsync(parent.Id, new StoreProtocol.LayerSpec(LayerId.Parse("work"), ["n"], new Dictionary<string, string> { ["k"] = "v" }));
        Assert.Equal((LayerKind.Writable, parent.Id, null), (made.Kind, made.Parent, made.DiffId));
        await File.WriteAllTextAsync(Path.Combine(Root, "directories", "work", "diff", "content"), "written");

        var done = await engine.Client.SealAsync(made.Id, ["m"]);

        Assert.Equal((LayerKind.Sealed, DiffOf("written"), Digest.Chain(parent.ChainId, DiffOf("written"))), (done.Kind, done.DiffId, done.ChainId));
        Assert.Equal(["m", "n"], done.Names);
        Assert.Equal("v", done.Labels["k"]);
        Assert.Equal(StorageErrorCode.WrongState, await RefusedAsync(engine.Client.SealAsync(made.Id)));
        await engine.Client.ApplyAsync(new StoreProtocol.Apply(made.Id, [Item("top")]));
        Assert.Empty((await CheckAsync(engine)).Select(static finding => finding.ToString()));
    }

    [Fact]
    public async Task A_layer_is_not_sealed_while_it_is_written_to_and_serves_on()
    {
        await using var engine = await StartAsync();
        var layer = await engine.Client.CreateAsync(null);
        await using (await engine.Client.MountAsync(layer.Id))
        {
            Assert.Equal(StorageErrorCode.InUse, await RefusedAsync(engine.Client.SealAsync(layer.Id)));
        }

        Assert.Equal(LayerKind.Sealed, (await engine.Client.SealAsync(layer.Id)).Kind);
        await using var lease = await engine.Client.MountAsync(layer.Id);
        Assert.Equal(MountMode.ReadOnly, lease.Acquired.Mode);
    }

    [Fact]
    public async Task A_term_that_no_clock_can_show_is_refused_and_the_layer_serves_on()
    {
        await using var engine = await StartAsync();
        var layer = (await engine.Client.CreateAsync(null)).Id;
        foreach (var term in new[] { TimeSpan.MaxValue, TimeSpan.Zero, TimeSpan.MinValue })
            Assert.Equal(StorageErrorCode.InvalidArgument, await RefusedAsync(AcquireAsync(term)));
        Assert.Equal(1, (await AcquireAsync(TimeSpan.FromHours(1))).Leases);
        Assert.NotNull((await engine.Client.ListMountsAsync()).Single().Leases.Single().Until);
        await engine.Client.UnmountAsync(layer);

        Task<LayerProtocol.Acquired> AcquireAsync(TimeSpan term) =>
            engine.Client.Channel.AskAsync<LayerProtocol.Acquired>(new LayerProtocol.Acquire(layer, LeaseId.Parse("lease"), MountOptions.Default, Term: term));
    }

    [Fact]
    public async Task What_is_in_use_is_not_removed()
    {
        await using var engine = await StartAsync();
        var layers = (await engine.Client.ApplyAsync(Chain("base", "top"))).Select(static one => one.Layer.Id).ToList();

        Assert.Equal(StorageErrorCode.InUse, await RefusedAsync(engine.Client.RemoveAsync(layers[0])));
        await using (await engine.Client.MountAsync(layers[1]))
        {
            Assert.Equal(StorageErrorCode.InUse, await RefusedAsync(engine.Client.RemoveAsync(layers[1])));
        }

        await engine.Client.RemoveAsync(layers[1]);
        await engine.Client.RemoveAsync(layers[0]);
        Assert.Equal(0, (await engine.Client.EmptyTrashAsync()).Left);
        Assert.Empty(In("trash"));
        Assert.Empty(await engine.Client.ListLayersAsync());
        Assert.Equal(StorageErrorCode.NotFound, await RefusedAsync(engine.Client.RemoveAsync(layers[0])));
        await AssertAtRestAsync(engine);
    }

    [Fact]
    public async Task Force_ends_leases_but_not_children()
    {
        await using var engine = await StartAsync();
        var layers = (await engine.Client.ApplyAsync(Chain("base", "top"))).Select(static one => one.Layer.Id).ToList();
        await engine.Client.MountAsync(layers[1], outlive: true);

        Assert.Equal(StorageErrorCode.InUse, await RefusedAsync(engine.Client.RemoveAsync(layers[0], force: true)));
        await engine.Client.RemoveAsync(layers[1], force: true);

        Assert.Empty(World.Mounts);
        Assert.Empty(await engine.Client.ListMountsAsync());
    }

    [Fact]
    public async Task An_id_can_be_used_again_and_the_new_layer_inherits_nothing()
    {
        await using var engine = await StartAsync();
        await engine.Client.ApplyAsync(new StoreProtocol.Apply(null, [Item("one", "id", "name")]));
        await engine.Client.MountAsync(LayerId.Parse("id"), outlive: true);
        await engine.Client.RemoveAsync(LayerId.Parse("id"), force: true);

        var again = await engine.Client.ApplyAsync(new StoreProtocol.Apply(null, [Item("two", "id", "name")]));

        Assert.Equal(DiffOf("two"), again[0].Layer.DiffId);
        await using var lease = await engine.Client.MountAsync(LayerId.Parse("id"));
        Assert.Equal(1, lease.Acquired.Leases);
    }

    [Fact]
    public async Task Two_who_remove_the_same_layer_get_one_success()
    {
        await using var engine = await StartAsync();
        var layer = (await engine.Client.ApplyAsync(Chain("base")))[0].Layer.Id;

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => OutcomeAsync(engine.Client.RemoveAsync(layer))));

        Assert.Equal([null, StorageErrorCode.NotFound, StorageErrorCode.NotFound, StorageErrorCode.NotFound], outcomes.Order());
    }

    [Fact]
    public async Task Names_and_labels_change_move_and_are_written_to_the_layers_file()
    {
        await using var engine = await StartAsync();
        await engine.Client.ApplyAsync(new StoreProtocol.Apply(null, [Item("one", "one", "name")]));
        await engine.Client.ApplyAsync(new StoreProtocol.Apply(null, [Item("two", "two")]));
        var (one, two) = (LayerId.Parse("one"), LayerId.Parse("two"));

        Assert.Equal(StorageErrorCode.AlreadyExists, await RefusedAsync(Ask(new CatalogProtocol.ChangeNames(two, null, ["name"], []))));
        Assert.Equal(StorageErrorCode.NotFound, await RefusedAsync(Ask(new CatalogProtocol.ChangeNames(two, null, [], ["absent"]))));
        Assert.Equal(["name"], (await Ask(new CatalogProtocol.ChangeNames(two, null, ["name"], [], Steal: true))).Layer!.Names);
        Assert.Empty((await Ask(new CatalogProtocol.Resolve("one"))).Layer!.Names);
        await Ask(new CatalogProtocol.ChangeLabels(two, new Dictionary<string, string> { ["a"] = "1", ["b"] = "2" }));
        Assert.Equal("2", (await Ask(new CatalogProtocol.ChangeLabels(two, new Dictionary<string, string> { ["a"] = "" }))).Layer!.Labels["b"]);

        var file = await File.ReadAllTextAsync(Path.Combine(Root, "directories", "two", "layer.json"));
        Assert.Contains("\"name\"", file, StringComparison.Ordinal);
        Assert.DoesNotContain("\"a\"", file, StringComparison.Ordinal);
        Assert.Equal(two, (await Ask(new CatalogProtocol.Resolve("name"))).Layer!.Id);

        Task<CatalogProtocol.Resolved> Ask(CatalogProtocol.ICommand command) => engine.Client.Channel.AskAsync<CatalogProtocol.Resolved>(command);
    }

    [Fact]
    public async Task A_layer_is_found_by_id_prefix_name_chain_and_mount_path()
    {
        await using var engine = await StartAsync();
        var layer = (await engine.Client.ApplyAsync(new StoreProtocol.Apply(null, [Item("base", "abcdef-1", "name")])))[0].Layer;
        await engine.Client.ApplyAsync(new StoreProtocol.Apply(null, [Item("other", "abcdef-2")]));
        await using var lease = await engine.Client.MountAsync(layer.Id);

        foreach (var reference in new[] { "abcdef-1", "name", lease.Path, lease.Path + "/" })
        {
            Assert.Equal(layer.Id, (await engine.Client.ResolveAsync(reference)).Layer!.Id);
        }

        Assert.Equal(layer.Id, (await engine.Client.Channel.AskAsync<CatalogProtocol.Resolved>(new CatalogProtocol.FindChain(layer.ChainId!.Value))).Layer!.Id);
        Assert.Equal(StorageErrorCode.InvalidArgument, await RefusedAsync(engine.Client.ResolveAsync("abcde")));
        Assert.Equal(StorageErrorCode.NotFound, await RefusedAsync(engine.Client.ResolveAsync("abc")));
        Assert.Equal(StorageErrorCode.NotFound, await RefusedAsync(engine.Client.ResolveAsync("/nowhere")));
    }

    [Fact]
    public async Task A_layer_comes_back_as_it_came_in()
    {
        await using var engine = await StartAsync();
        var layer = (await engine.Client.ApplyAsync(Chain("the very bytes")))[0].Layer;
        var target = Path.Combine(Elsewhere, "out.tar");

        var written = await engine.Client.Channel.AskAsync<StoreProtocol.DiffWritten>(new StoreProtocol.WriteDiff(layer.Id, null, new BlobTarget(target)));
        var stream = new MemoryStream();
        await engine.Client.WriteDiffAsync(layer.Id, stream);

        Assert.Equal(layer.DiffId, written.DiffId);
        Assert.Equal("the very bytes", await File.ReadAllTextAsync(target));
        Assert.Equal("the very bytes"u8.ToArray(), stream.ToArray());
        Assert.Equal([new LayerChange(ChangeKind.Added, "/content")], await engine.Client.ChangesAsync(layer.Id));
    }

    [Fact]
    public async Task Content_that_has_changed_on_disk_is_not_given_out_as_the_layer()
    {
        await using var engine = await StartAsync();
        var layer = (await engine.Client.ApplyAsync(Chain("right")))[0].Layer;
        await File.WriteAllTextAsync(Path.Combine(Root, "directories", layer.Id.Value, "diff", "content"), "wrong");

        Assert.Equal(StorageErrorCode.Damaged, await RefusedAsync(engine.Client.WriteDiffAsync(layer.Id, new MemoryStream())));
    }

    [Fact]
    public async Task All_is_unmounted_but_what_is_held_and_by_force_all_but_what_cannot_be()
    {
        await using var engine = await StartAsync("storage-actors.retry.times = 0");
        var layers = (await engine.Client.ApplyAsync(Chain("one", "two", "three"))).Select(static one => one.Layer.Id).ToArray();
        foreach (var layer in layers) await engine.Client.MountAsync(layer, lease: LeaseId.Parse("mine"), outlive: true);
        var other = (await engine.Client.CreateAsync(null, new StoreProtocol.LayerSpec(Labels: new Dictionary<string, string> { [LayerLabels.HeldBy] = "client" }))).Id;

        var untouched = await UnmountAllAsync(force: false);
        Assert.Equal(layers.Append(other).ToHashSet(), untouched.Select(static left => left.Mount.Layer).ToHashSet());
        Assert.All(untouched, static left => Assert.Null(left.Why));
        Assert.Equal(3, World.Mounts.Count);

        World.Trouble = (operation, layer) =>
        {
            if (operation == "unmount" && layer == layers[1]) throw new PermanentDriverException(new StorageError(StorageErrorCode.Io, operation, "the disk is broken", Errno: "EIO"));
        };
        var left = await UnmountAllAsync(force: true);
        Assert.Equal(new[] { (layers[1], (StorageErrorCode?)StorageErrorCode.Io), (other, null) }.ToHashSet(), left.Select(static one => (one.Mount.Layer, one.Why?.Code)).ToHashSet());
        Assert.Single(World.Mounts);

        World.Trouble = null;
        Assert.Equal(other, Assert.Single(await UnmountAllAsync(force: true)).Mount.Layer);
        Assert.Empty(World.Mounts);
        await using var again = await engine.Client.MountAsync(layers[0]);

        async Task<IReadOnlyList<StoreProtocol.MountLeft>> UnmountAllAsync(bool force) =>
            (await engine.Client.Channel.AskAsync<StoreProtocol.AllUnmounted>(new StoreProtocol.UnmountAll(force, "the disk goes"))).StillMounted;
    }

    internal static async Task<IReadOnlyList<Finding>> CheckAsync(StorageActors.Engine.StorageEngine engine, bool full = true, bool repair = false, bool dryRun = false) =>
        (await engine.Client.Channel.AskAsync<StoreProtocol.Checked>(new StoreProtocol.Check(full, repair, dryRun))).Findings;
}
