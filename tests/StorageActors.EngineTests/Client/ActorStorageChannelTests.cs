using Akka.Actor;
using StorageActors.Client;
using StorageActors.Dispatching;
using StorageActors.EngineTests.Support;
using StorageActors.Protocol;
using StorageActors.Transfers;
using Xunit;

namespace StorageActors.EngineTests.Client;

/// <summary>Asking a store in this process, by a stand-in that answers lists of layers at once and nothing else.</summary>
public sealed class ActorStorageChannelTests : EngineTest
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly TransferTable _transfers = new(TimeProvider.System);
    private readonly IActorRef _store;
    private readonly ActorStorageChannel _channel;

    public ActorStorageChannelTests()
    {
        _store = Sys.ActorOf(EngineProps.Of(static () => new Store()));
        _channel = new ActorStorageChannel(Sys, _store, _transfers);
    }

    [Fact]
    public async Task Those_who_block_after_their_answer_keep_nobody_from_his()
    {
        const int Blocking = 6;
        using var gate = new SemaphoreSlim(0);
        var left = new CountdownEvent(Blocking);
        var blocked = Enumerable.Range(0, Blocking).Select(_ => Task.Run(async () =>
        {
            await AskAsync();
            left.Signal();
            Assert.True(Pass(gate));
        })).ToList();
        Assert.True(left.Wait(Limit));
        for (var i = 0; i < 20; i++) await AskAsync();
        gate.Release(Blocking);
        await Task.WhenAll(blocked).WaitAsync(Limit);
    }

    [Fact]
    public async Task Who_got_an_answer_may_wait_for_the_next_one_without_letting_go_of_his_thread() =>
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            for (var i = 0; i < 20; i++)
            {
                await AskAsync();
                AskAndBlock();
            }
        }))).WaitAsync(Limit);

    [Fact]
    public async Task Many_who_ask_at_the_same_time_all_get_their_answer()
    {
        const int Askers = 50;
        var answers = await Task.WhenAll(Enumerable.Range(0, Askers).Select(_ => Task.Run(AskAsync))).WaitAsync(Limit);
        Assert.Equal(Askers, answers.Length);
    }

    [Fact]
    public async Task Who_gives_up_goes_on_without_an_answer()
    {
        using var stop = new CancellationTokenSource();
        var asking = _channel.AskAsync<CatalogProtocol.Images>(new CatalogProtocol.ListImages(), stop.Token);
        Assert.False(asking.IsCompleted);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking.WaitAsync(Limit));
        await AskAsync();
    }

    [Fact]
    public async Task Who_asks_a_store_that_ends_without_an_answer_is_told()
    {
        var asking = AssertEndAsync();
        Sys.Stop(_store);
        await asking;
    }

    [Fact]
    public async Task Who_asks_a_store_that_has_ended_is_told()
    {
        Watch(_store);
        Sys.Stop(_store);
        ExpectTerminated(_store);
        await AssertEndAsync();
        await AssertEndAsync();
    }

    [Fact]
    public async Task Who_waits_when_the_actor_system_ends_is_told_also_if_the_channel_was_closed()
    {
        var asking = AssertEndAsync();
        await _channel.DisposeAsync();
        await Sys.Terminate().WaitAsync(Limit);
        await asking;
        await AssertEndAsync();
    }

    protected override void AfterAll()
    {
        base.AfterAll();
        _transfers.Dispose();
    }

    private async Task AssertEndAsync()
    {
        var asking = _channel.AskAsync<CatalogProtocol.Images>(new CatalogProtocol.ListImages());
        var error = await Assert.ThrowsAsync<StorageException>(() => asking.WaitAsync(Limit));
        Assert.Equal(StorageErrorCode.ShuttingDown, error.Error.Code);
    }

    private Task<CatalogProtocol.Layers> AskAsync() => _channel.AskAsync<CatalogProtocol.Layers>(new CatalogProtocol.ListLayers());

    private void AskAndBlock() => AskAsync().GetAwaiter().GetResult();

    private static bool Pass(SemaphoreSlim gate) => gate.Wait(Limit);

    private sealed class Store : ReceiveActor
    {
        public Store()
        {
            Receive<CatalogProtocol.ListLayers>(_ => Sender.Tell(new CatalogProtocol.Layers([])));
            Receive<CatalogProtocol.ListImages>(static _ => { });
        }
    }
}
