using Akka.Actor;
using Akka.Persistence;
using StorageActors.Journal;
using StorageActors.Protocol;
using Xunit;

namespace StorageActors.EngineTests.Layers;

/// <content>What a layer's snapshot has.</content>
public sealed partial class LayersActorTests
{
    private const int EventsBetweenSnapshots = 200;

    [Fact]
    public void A_snapshot_has_nothing_that_the_journal_lacks()
    {
        var layers = Layers();
        Acquire(layers, "first");
        Settle();
        ExpectMsg<LayerProtocol.Acquired>();
        Acquire(layers, "second");
        ExpectMsg<LayerProtocol.Acquired>();
        for (var events = 2; events < EventsBetweenSnapshots - 2; events += 2) ComeAndGo(layers);
        Flush(layers);
        var gate = BreakableJournal.Gate = new TaskCompletionSource();
        try
        {
            ComeAndGo(layers);
            Acquire(layers, "late");
            ExpectMsg<LayerProtocol.Acquired>();
            Assert.Null(Offered());
        }
        finally
        {
            BreakableJournal.Gate = null;
            gate.SetResult();
        }

        Flush(layers);
        AwaitAssert(
            () => Assert.Equal(["first", "second"], Offered()?.Leases.Select(static lease => lease.Lease.Value) ?? []),
            TimeSpan.FromMinutes(1));
    }

    private void ComeAndGo(IActorRef layers)
    {
        Acquire(layers, "comes");
        ExpectMsg<LayerProtocol.Acquired>();
        Release(layers, "comes");
        ExpectMsg<LayerProtocol.Released>();
    }

    /// <summary>The snapshot that the layer's next actor would begin with.</summary>
    private LeaseEvent.Snapshot? Offered()
    {
        Persistence.Instance.Apply(Sys).SnapshotStoreFor("akka.persistence.snapshot-store.inmem")
            .Tell(new LoadSnapshot(Setup.PersistenceId, SnapshotSelectionCriteria.Latest, long.MaxValue), TestActor);
        return (LeaseEvent.Snapshot?)ExpectMsg<LoadSnapshotResult>().Snapshot?.Snapshot;
    }
}
