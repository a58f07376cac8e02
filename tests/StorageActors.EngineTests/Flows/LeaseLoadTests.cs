using Akka.Actor;
using StorageActors.EngineTests.Support;
using StorageActors.Protocol;
using Xunit;

namespace StorageActors.EngineTests.Flows;

public sealed class LeaseLoadTests : StoreTest
{
    [Fact]
    public async Task A_thousand_leases_on_fifty_layers_by_eight_requesters_leave_no_mount_and_no_error()
    {
        await using var engine = await StartAsync();
        var layers = new List<LayerId>();
        for (var index = 0; index < 50; index++) layers.Add((await engine.Client.ApplyAsync(Chain($"layer {index}")))[0].Layer.Id);

        var rounds = await Task.WhenAll(Enumerable.Range(0, 8).Select(requester => Task.Run(async () =>
        {
            var random = new Random(requester);
            var most = 0;
            for (var round = 0; round < 125; round++)
            {
                await using var lease = await engine.Client.MountAsync(layers[random.Next(layers.Count)]);
                most = Math.Max(most, lease.Acquired.Leases);
                Assert.True(World.Mounts.ContainsKey(lease.Path));
            }

            return most;
        })));

        Assert.All(rounds, static most => Assert.InRange(most, 1, 8));
        Assert.Empty(World.Mounts);
        Assert.Empty(await engine.Client.ListMountsAsync());
        Assert.Empty(await LayerLifeTests.CheckAsync(engine, full: false));
    }

    [Fact]
    public async Task Holders_that_die_release_their_leases()
    {
        await using var engine = await StartAsync();
        var layer = (await engine.Client.ApplyAsync(Chain("base")))[0].Layer.Id;
        var unmounted = new TaskCompletionSource();
        engine.System.EventStream.Subscribe(engine.System.ActorOf(Props.Create(() => new Witness(unmounted))), typeof(LayerProtocol.LayerUnmounted));
        var holders = Enumerable.Range(0, 8).Select(_ => engine.System.ActorOf(Props.Create(() => new Holder()))).ToList();
        await Task.WhenAll(holders.Select((holder, index) => engine.Client.Channel.AskAsync<LayerProtocol.Acquired>(
            new LayerProtocol.Acquire(layer, LeaseId.Parse($"lease-{index}"), MountOptions.Default, holder))));
        Assert.Equal(8, (await engine.Client.ListMountsAsync())[0].Leases.Count);

        foreach (var holder in holders) engine.System.Stop(holder);

        await unmounted.Task.WaitAsync(Patient.Limit);
        Assert.Empty(World.Mounts);
        await engine.Client.RemoveAsync(layer);
    }

    private sealed class Holder : ReceiveActor;

    private sealed class Witness : ReceiveActor
    {
        public Witness(TaskCompletionSource seen) => Receive<LayerProtocol.LayerUnmounted>(_ => seen.TrySetResult());
    }
}
