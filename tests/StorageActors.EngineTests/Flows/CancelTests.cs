using Akka.Actor;
using StorageActors.EngineTests.Support;
using StorageActors.Protocol;
using Xunit;

namespace StorageActors.EngineTests.Flows;

public sealed class CancelTests : StoreTest
{
    [Fact]
    public async Task A_cancelled_extraction_is_refused_and_leaves_nothing()
    {
        await using var engine = await StartAsync();
        var ticket = TicketId.New();
        var applying = engine.Client.ApplyAsync(new StoreProtocol.Apply(null, [Item("base"), Item("hold:never:top", "top", "name", ticket: ticket)]));
        await World.ExtractionsAsync(2);

        await engine.Client.Channel.AskAsync<StoreProtocol.CancelAccepted>(new StoreProtocol.Cancel(ticket));

        Assert.Equal(StorageErrorCode.Cancelled, await RefusedAsync(applying));
        Assert.Empty(await engine.Client.ListLayersAsync());
        await AssertAtRestAsync(engine);
        Assert.Equal(StorageErrorCode.NotFound, await RefusedAsync(CancelAsync()));

        // Who has answered is still there for a moment.
        async Task CancelAsync()
        {
            using var late = new CancellationTokenSource(Patient.Limit);
            while (true) await engine.Client.Channel.AskAsync<StoreProtocol.CancelAccepted>(new StoreProtocol.Cancel(ticket), late.Token);
        }
    }

    [Fact]
    public async Task The_token_of_the_client_cancels_and_waits_until_nothing_is_left()
    {
        await using var engine = await StartAsync();
        using var stop = new CancellationTokenSource();
        var applying = engine.Client.ApplyAsync(Chain("hold:never:1", "2"), progress: null, stop.Token);
        await World.ExtractionsAsync(2);

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => applying);
        await AssertAtRestAsync(engine);
    }

    [Fact]
    public async Task One_that_waits_for_its_turn_can_be_cancelled()
    {
        await using var engine = await StartAsync("storage-actors.staging.parallelism = 1");
        var running = engine.Client.ApplyAsync(Chain("hold:a:1"));
        await World.ExtractionsAsync(1);
        var ticket = TicketId.New();
        var waiting = engine.Client.ApplyAsync(new StoreProtocol.Apply(null, [Item("2", ticket: ticket)]));
        await engine.Client.ListLayersAsync();

        await engine.Client.Channel.AskAsync<StoreProtocol.CancelAccepted>(new StoreProtocol.Cancel(ticket));
        Assert.Equal(StorageErrorCode.Cancelled, await RefusedAsync(waiting));
        World.Open("a");

        await running;
        Assert.Equal(["hold:a:1"], World.Extracted);
    }

    [Fact]
    public async Task The_death_of_the_owner_cancels()
    {
        await using var engine = await StartAsync();
        var owner = engine.System.ActorOf(Props.Create(() => new Owner()));
        var applying = engine.Client.Channel.AskAsync<StoreProtocol.Applied>(Chain("hold:never:1") with { Owner = owner });
        await World.ExtractionsAsync(1);

        engine.System.Stop(owner);

        Assert.Equal(StorageErrorCode.Cancelled, await RefusedAsync(applying));
        await AssertAtRestAsync(engine);
    }

    [Fact]
    public async Task A_ticket_that_is_in_use_is_refused_and_its_user_is_not_disturbed()
    {
        await using var engine = await StartAsync();
        var ticket = TicketId.New();
        var first = engine.Client.ApplyAsync(new StoreProtocol.Apply(null, [Item("hold:a:1", ticket: ticket)]));
        await World.ExtractionsAsync(1);

        Assert.Equal(StorageErrorCode.AlreadyExists, await RefusedAsync(engine.Client.ApplyAsync(new StoreProtocol.Apply(null, [Item("2", ticket: ticket)]))));

        World.Open("a");
        Assert.Single(await first);
    }

    [Fact]
    public async Task Two_layers_of_a_chain_with_one_ticket_are_refused_and_the_store_goes_on()
    {
        await using var engine = await StartAsync();
        var ticket = TicketId.New();

        Assert.Equal(
            StorageErrorCode.InvalidArgument,
            await RefusedAsync(engine.Client.ApplyAsync(new StoreProtocol.Apply(null, [Item("1", ticket: ticket), Item("2", ticket: ticket)]))));

        Assert.Single(await engine.Client.ApplyAsync(Chain("3")));
        await AssertAtRestAsync(engine);
    }

    [Fact]
    public async Task Who_writes_to_an_upload_of_a_command_that_is_refused_hears_of_it()
    {
        await using var engine = await StartAsync();
        await engine.Client.CreateAsync(null, new StoreProtocol.LayerSpec(LayerId.Parse("taken")));
        var upload = await engine.Client.Channel.OpenUploadAsync();
        await using var stream = upload.Stream;
        var item = new StoreProtocol.ChainItem(BlobSource.FromUpload(upload.Id), new StoreProtocol.LayerSpec(LayerId.Parse("taken")), new StoreProtocol.Expectations());

        Assert.Equal(StorageErrorCode.AlreadyExists, await RefusedAsync(engine.Client.Channel.AskAsync<StoreProtocol.Applied>(new StoreProtocol.Apply(null, [item]))));

        await Assert.ThrowsAsync<IOException>(() => stream.WriteAsync(new byte[4 << 20]).AsTask().WaitAsync(TimeSpan.FromSeconds(60)));
    }

    [Fact]
    public async Task A_stopping_engine_refuses_new_work_lets_the_running_end_and_then_cancels_it()
    {
        var engine = await StartAsync("storage-actors.drain-timeout = 30s");
        var cancelled = engine.Client.Channel.AskAsync<StoreProtocol.Applied>(Chain("hold:never:1"));
        var finished = engine.Client.Channel.AskAsync<StoreProtocol.Applied>(Chain("hold:a:2"));
        await World.ExtractionsAsync(2);

        var stopping = engine.Store.StopAsync();
        Assert.Equal(StorageErrorCode.ShuttingDown, await RefusedAsync(engine.Client.CreateAsync(null)));
        World.Open("a");
        await finished;

        Assert.Contains(await RefusedAsync(cancelled), new[] { StorageErrorCode.Cancelled, StorageErrorCode.ShuttingDown });
        await stopping;
        Assert.Empty(In("staging"));
        await engine.DisposeAsync();
    }

    private sealed class Owner : ReceiveActor;
}
