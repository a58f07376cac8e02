using StorageActors.Drivers;
using StorageActors.EngineTests.Support;
using StorageActors.Protocol;
using Xunit;

namespace StorageActors.EngineTests.Flows;

public sealed class ApplyTests : StoreTest
{
    [Fact]
    public async Task A_chain_becomes_sealed_layers_each_on_the_one_before()
    {
        await using var engine = await StartAsync();

        var applied = await engine.Client.ApplyAsync(Chain("base", "middle", "top"));

        var layers = applied.Select(static one => one.Layer).ToList();
        Assert.Equal([null, layers[0].Id, layers[1].Id], layers.Select(static layer => layer.Parent));
        Assert.Equal([DiffOf("base"), DiffOf("middle"), DiffOf("top")], layers.Select(static layer => layer.DiffId!.Value));
        Assert.Equal(Digest.Chain(Digest.Chain(DiffOf("base"), DiffOf("middle")), DiffOf("top")), layers[2].ChainId);
        Assert.All(layers, static layer => Assert.Equal(LayerKind.Sealed, layer.Kind));
        Assert.Equal(layers.Select(static layer => layer.Id), (await engine.Client.ListLayersAsync()).Select(static layer => layer.Id));
        Assert.Equal([layers[1].Id.Value, layers[0].Id.Value], File.ReadAllLines(Path.Combine(Root, "directories", layers[2].Id.Value, "parents")));
        await AssertAtRestAsync(engine);
    }

    [Fact]
    public async Task All_layers_are_staged_at_the_same_time_where_the_driver_can_rebase()
    {
        await using var engine = await StartAsync();

        var applying = engine.Client.ApplyAsync(Chain("hold:a:1", "hold:a:2", "hold:a:3"));
        await World.ExtractionsAsync(3);
        World.Open("a");
        await applying;

        Assert.Equal(3, World.MostAtOnce);
    }

    [Fact]
    public async Task Without_rebase_layers_are_staged_one_after_the_other()
    {
        await using var engine = await StartAsync(capabilities: DriverCapabilities.KernelMount);

        var applied = await engine.Client.ApplyAsync(Chain("base", "middle", "top"));

        Assert.Equal(1, World.MostAtOnce);
        Assert.Equal(["base", "middle", "top"], World.Extracted);
        Assert.Equal(applied[1].Layer.Id, applied[2].Layer.Parent);
        await AssertAtRestAsync(engine);
    }

    [Fact]
    public async Task No_more_run_at_a_time_than_the_settings_say()
    {
        await using var engine = await StartAsync("storage-actors.staging.parallelism = 2");

        await Task.WhenAll(Enumerable.Range(0, 12).Select(index => engine.Client.ApplyAsync(Chain($"layer {index}"))));

        Assert.InRange(World.MostAtOnce, 1, 2);
        Assert.Equal(12, (await engine.Client.ListLayersAsync()).Count);
    }

    [Fact]
    public async Task Too_much_waiting_is_refused_as_busy_and_a_chain_that_was_let_in_is_not()
    {
        await using var engine = await StartAsync("storage-actors.staging { parallelism = 1, queue = 1 }");
        var running = engine.Client.ApplyAsync(Chain("hold:a:1"));
        await World.ExtractionsAsync(1);
        var queued = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var waiting = engine.Client.ApplyAsync(Chain("2", "3", "4"), new Observer(progress => _ = progress.Phase == StagingPhase.Queued && queued.TrySetResult()));
        await queued.Task.WaitAsync(Patient.Limit); // Or the next command could be let in before this one.

        Assert.Equal(StorageErrorCode.Busy, await RefusedAsync(engine.Client.ApplyAsync(Chain("5"))));

        World.Open("a");
        await running;
        Assert.Equal(3, (await waiting).Count);
    }

    [Fact]
    public async Task Conflicts_are_found_before_any_work()
    {
        await using var engine = await StartAsync();
        await engine.Client.ApplyAsync(new StoreProtocol.Apply(null, [Item("base", "base", "first")]));
        World.Extracted.Clear();

        Assert.Equal(StorageErrorCode.AlreadyExists, await RefusedAsync(engine.Client.ApplyAsync(new StoreProtocol.Apply(null, [Item("other", "base")]))));
        Assert.Equal(StorageErrorCode.AlreadyExists, await RefusedAsync(engine.Client.ApplyAsync(new StoreProtocol.Apply(null, [Item("other", "other", "first")]))));
        Assert.Equal(StorageErrorCode.NotFound, await RefusedAsync(engine.Client.ApplyAsync(new StoreProtocol.Apply(LayerId.Parse("nothing"), [Item("other")]))));
        Assert.Equal(StorageErrorCode.InvalidArgument, await RefusedAsync(engine.Client.ApplyAsync(new StoreProtocol.Apply(null, [Item("other", name: "two words")]))));
        Assert.Empty(World.Extracted);
    }

    [Fact]
    public async Task A_writable_layer_takes_no_layers_on_top()
    {
        await using var engine = await StartAsync();
        var writable = await engine.Client.CreateAsync(null);

        Assert.Equal(StorageErrorCode.WrongState, await RefusedAsync(engine.Client.ApplyAsync(new StoreProtocol.Apply(writable.Id, [Item("top")]))));
    }

    [Fact]
    public async Task A_failure_leaves_nothing_and_frees_the_names()
    {
        await using var engine = await StartAsync();

        var refused = await Assert.ThrowsAsync<StorageException>(
            () => engine.Client.ApplyAsync(new StoreProtocol.Apply(null, [Item("base", "base", "name"), Item("fail: broken", "top", "other"), Item("more")])));

        Assert.Equal(StorageErrorCode.BadInput, refused.Error.Code);
        Assert.Contains("layer 2 of 3", refused.Error.Message, StringComparison.Ordinal);
        Assert.Empty(await engine.Client.ListLayersAsync());
        await AssertAtRestAsync(engine);
        await engine.Client.ApplyAsync(new StoreProtocol.Apply(null, [Item("base", "base", "name"), Item("whole", "top", "other")]));
    }

    [Fact]
    public async Task A_defect_of_the_driver_is_refused_as_internal_and_leaves_nothing()
    {
        await using var engine = await StartAsync();

        Assert.Equal(StorageErrorCode.Internal, await RefusedAsync(engine.Client.ApplyAsync(Chain("defect: null"))));

        await AssertAtRestAsync(engine);
    }

    [Fact]
    public async Task An_unexpected_digest_is_refused()
    {
        await using var engine = await StartAsync();
        var item = Item("content") with { Expect = new StoreProtocol.Expectations(DiffOf("other")) };

        Assert.Equal(StorageErrorCode.DigestMismatch, await RefusedAsync(engine.Client.ApplyAsync(new StoreProtocol.Apply(null, [item]))));
    }

    [Fact]
    public async Task The_limit_of_the_store_holds_whatever_the_command_allows()
    {
        await using var engine = await StartAsync("storage-actors.limits.size = 10");
        var item = Item("more than ten bytes") with { Expect = new StoreProtocol.Expectations(MaximumSize: 1000) };

        Assert.Equal(StorageErrorCode.LimitExceeded, await RefusedAsync(engine.Client.ApplyAsync(new StoreProtocol.Apply(null, [item]))));
    }

    [Fact]
    public async Task Names_of_a_chain_are_given_when_all_of_it_is_there()
    {
        await using var engine = await StartAsync();

        var applied = await engine.Client.ApplyAsync(new StoreProtocol.Apply(null, [Item("base", name: "b"), Item("middle"), Item("top", name: "t")]));

        Assert.Equal([["b"], [], ["t"]], applied.Select(static one => one.Layer.Names.ToArray()));
        Assert.Equal(applied[0].Layer.Id, (await engine.Client.ResolveAsync("b")).Layer!.Id);
        Assert.Contains("\"b\"", File.ReadAllText(Path.Combine(Root, "directories", applied[0].Layer.Id.Value, "layer.json")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_is_read_to_its_end_and_applied()
    {
        await using var engine = await StartAsync();

        var applied = await engine.Client.ApplyAsync(new MemoryStream("from a stream"u8.ToArray()));

        Assert.Equal(DiffOf("from a stream"), applied.Layer.DiffId);
    }

    [Fact]
    public async Task Progress_tells_each_phase_once_and_the_end_last()
    {
        await using var engine = await StartAsync();
        var phases = new System.Collections.Concurrent.ConcurrentQueue<StagingPhase>();
        var done = new TaskCompletionSource();
        var ticket = TicketId.New();
        using var watch = engine.Client.Channel.WatchProgress(ticket, new Observer(progress =>
        {
            phases.Enqueue(progress.Phase);
            if (progress.Phase == StagingPhase.Done) done.TrySetResult();
        }));

        await engine.Client.ApplyAsync(new StoreProtocol.Apply(null, [Item("content", ticket: ticket)]));
        await done.Task.WaitAsync(Patient.Limit);

        Assert.Equal([StagingPhase.Extracting, StagingPhase.Syncing, StagingPhase.Committing, StagingPhase.Done], phases.Distinct());
    }

    private sealed class Observer(Action<StagingProgress> report) : IProgress<StagingProgress>
    {
        public void Report(StagingProgress value) => report(value);
    }
}
