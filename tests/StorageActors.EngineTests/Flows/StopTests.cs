using StorageActors.Drivers;
using StorageActors.Engine;
using StorageActors.EngineTests.Support;
using StorageActors.Protocol;
using StorageActors.Store;
using Xunit;

namespace StorageActors.EngineTests.Flows;

/// <summary>A store that ends owes nobody an answer, and forgets nothing that it has answered.</summary>
public sealed class StopTests : StoreTest
{
    [Fact]
    public async Task Who_asks_while_a_store_ends_or_after_gets_an_answer()
    {
        var engine = await StartAsync();
        var layer = (await engine.Client.ApplyAsync(Chain("base")))[0].Layer.Id;
        var client = engine.Client;
        var asked = Enumerable.Range(0, 50).Select(number => OutcomeAsync(NameAsync(number))).ToList();
        var mounted = Enumerable.Range(0, 20).Select(_ => OutcomeAsync(client.MountAsync(layer))).ToList();
        var stopping = engine.Store.StopAsync();
        asked.AddRange(Enumerable.Range(50, 50).Select(number => OutcomeAsync(NameAsync(number))));
        await stopping;

        var answers = await Task.WhenAll(asked.Concat(mounted)).WaitAsync(Patient.Limit);
        Assert.All(answers, static outcome => Assert.True(outcome is null or StorageErrorCode.ShuttingDown));
        Assert.Equal(StorageErrorCode.ShuttingDown, await OutcomeAsync(client.ListLayersAsync()).WaitAsync(Patient.Limit));
        await engine.DisposeAsync();

        await using var again = await StartAsync();
        var names = (await again.Client.ListLayersAsync())[0].Names;
        Assert.All(Enumerable.Range(0, 100).Where(number => answers[number] is null), number => Assert.Contains($"name-{number}", names));
        Assert.Empty(await again.Client.ListMountsAsync());

        Task NameAsync(int number) =>
            client.Channel.AskAsync<CatalogProtocol.Resolved>(new CatalogProtocol.ChangeNames(layer, null, [$"name-{number}"], []));
    }

    [Fact]
    public async Task A_start_that_is_given_up_ends_when_what_it_was_trying_has_ended()
    {
        using var cancel = new CancellationTokenSource();
        using var over = new ManualResetEventSlim();
        var isOverBefore = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        var starting = StorageEngine.StartAsync(
            Configure(),
            (name, store) =>
            {
                _ = cancel.CancelAsync();
                isOverBefore.SetResult(over.Wait(TimeSpan.FromSeconds(2))); // What a driver tries takes a while.
                return Open(store.Root);
            },
            stop: cancel.Token);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => starting.WaitAsync(Patient.Limit));
        over.Set();
        Assert.False(await isOverBefore.Task.WaitAsync(Patient.Limit), "what was tried went on after the start had ended");
        Assert.Null(OwnerLock.Find(Root));
        await using var again = await StartAsync();
        Assert.Empty(await again.Client.ListLayersAsync());
    }

    [Fact]
    public async Task A_lease_that_was_released_just_before_a_stop_does_not_come_back()
    {
        for (var round = 0; round < 5; round++)
        {
            await using var engine = await StartAsync();
            Assert.Empty(await engine.Client.ListMountsAsync());
            var layer = round == 0 ? (await engine.Client.ApplyAsync(Chain("base")))[0].Layer.Id : (await engine.Client.ListLayersAsync())[0].Id;
            await engine.Client.MountAsync(layer, lease: LeaseId.Parse("one"), outlive: true);
            await engine.Client.UnmountAsync(layer);
        }
    }

    [Fact]
    public async Task A_mount_that_is_on_its_way_when_a_store_ends_is_taken_away_with_its_lease()
    {
        await using var engine = await StartAsync();
        var layer = (await engine.Client.ApplyAsync(Chain("base")))[0].Layer.Id;
        var (begun, gate) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), World.GateOf("mount"));
        World.Trouble = (operation, _) =>
        {
            if (operation != "mount") return;
            begun.TrySetResult();
            gate.Task.GetAwaiter().GetResult();
        };
        var mounted = OutcomeAsync(engine.Client.MountAsync(layer));
        await begun.Task.WaitAsync(Patient.Limit);

        var stopping = engine.Store.StopAsync();
        Assert.Equal(StorageErrorCode.ShuttingDown, await RefusedAsync(engine.Client.CreateAsync(null)));
        World.Open("mount");
        await stopping;

        Assert.True(await mounted.WaitAsync(Patient.Limit) is null or StorageErrorCode.ShuttingDown);
        Assert.Empty(World.Mounts);
    }

    [Fact]
    public async Task A_mount_that_is_busy_for_a_moment_when_a_store_ends_goes_with_it()
    {
        var engine = await StartAsync();
        var layer = (await engine.Client.ApplyAsync(Chain("base")))[0].Layer.Id;
        await engine.Client.MountAsync(layer);
        var attempts = 0;
        World.Trouble = (operation, _) =>
        {
            // Its holder's death or the stop itself is the first to try, whichever comes in first; the other one, or the stop's next round, is the second.
            if (operation == "unmount" && Interlocked.Increment(ref attempts) == 1)
                throw new PermanentDriverException(new StorageError(StorageErrorCode.InUse, "unmount", "busy"));
        };
        await engine.DisposeAsync();
        Assert.Empty(World.Mounts);
        Assert.Equal(2, attempts);
    }
}
