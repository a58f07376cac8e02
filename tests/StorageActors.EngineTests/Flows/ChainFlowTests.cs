using Akka.Actor;
using Akka.TestKit;
using StorageActors.Archive.Apply;
using StorageActors.Catalog;
using StorageActors.Drivers;
using StorageActors.EngineTests.Support;
using StorageActors.Flows;
using StorageActors.Layers;
using StorageActors.Protocol;
using StorageActors.Settings;
using StorageActors.Staging;
using StorageActors.Store;
using StorageActors.Transfers;
using Xunit;

namespace StorageActors.EngineTests.Flows;

/// <summary>A chain's flow between neighbours that answer when the test wants it: what comes while layers are renamed.</summary>
public sealed class ChainFlowTests : EngineTest
{
    private readonly TestProbe _catalog;
    private readonly TestProbe _stagings;
    private readonly TransferTable _transfers = new(TimeProvider.System);
    private readonly TicketId[] _tickets = [TicketId.New(), TicketId.New(), TicketId.New()];
    private readonly LayerId[] _ids = [LayerId.New(), LayerId.New(), LayerId.New()];

    public ChainFlowTests() => (_catalog, _stagings) = (CreateTestProbe(), CreateTestProbe());

    [Fact]
    public void What_was_renamed_is_journaled_although_a_layer_above_it_has_failed_meanwhile()
    {
        var flow = RenamingTheBase();

        flow.Tell(new StagingProtocol.Failed(_tickets[2], new StorageError(StorageErrorCode.BadInput, "extract", "no tar")), _stagings);
        Answer(flow, new StagingProtocol.Committed(_tickets[0]));

        Assert.Equal([_ids[0]], _catalog.ExpectMsg<CatalogInternal.CommitLayers>().Layers.Select(static layer => layer.Id));
        flow.Tell(new CatalogInternal.LayersCommitted(), _catalog);
        Assert.Equal(StorageErrorCode.BadInput, Ended(flow).Code);
    }

    [Fact]
    public void A_cancelling_that_comes_while_layers_are_renamed_is_not_lost()
    {
        var flow = RenamingTheBase();

        flow.Tell(new StopFlow(StorageErrorCode.Cancelled, "it was cancelled"));
        Answer(flow, new StagingProtocol.Committed(_tickets[0]));

        _catalog.ExpectMsg<CatalogInternal.CommitLayers>();
        flow.Tell(new CatalogInternal.LayersCommitted(), _catalog);
        Assert.Equal(StorageErrorCode.Cancelled, Ended(flow).Code);
    }

    protected override void AfterAll()
    {
        base.AfterAll();
        _transfers.Dispose();
    }

    /// <summary>A chain of three: its base is being renamed, since another flow makes the middle; the top is extracted at the same time.</summary>
    private IActorRef RenamingTheBase()
    {
        var nobody = ActorRefs.Nobody;
        var settings = new StorageSettings { Path = "storage-actors", Root = "/store", Durability = Durability.None };
        var context = new FlowContext(
            _catalog, nobody, nobody, _stagings, nobody, nobody, new CatalogView(), new MountView(), new StoreLayout("/store", "stub"), settings, DriverCapabilities.Rebase,
            _transfers, TimeProvider.System, static _ => { });
        var parts = _tickets.Select(static (ticket, index) => new ChainPart(
            ticket, BlobSource.File("/blob"), new StoreProtocol.LayerSpec(), new StoreProtocol.Expectations(Digest.Of([(byte)index])))).ToArray();
        var order = new ChainOrder("apply", null, parts, Reuse: true, Owner: null, static layers => new StoreProtocol.Applied(layers));
        var flow = Sys.ActorOf(ChainFlow.Props(context, TestActor, order));

        _catalog.ExpectMsg<CatalogInternal.ReserveChain>();
        flow.Tell(
            new CatalogInternal.ChainReserved(
                null,
                [
                    new CatalogInternal.PlannedLayer(CatalogInternal.Plan.Make, _ids[0]), new CatalogInternal.PlannedLayer(CatalogInternal.Plan.Await, _ids[1]),
                    new CatalogInternal.PlannedLayer(CatalogInternal.Plan.Make, _ids[2]),
                ]),
            _catalog);
        _catalog.ExpectMsg<CatalogInternal.AwaitLayer>();
        Assert.Equal([_tickets[0], _tickets[2]], _stagings.ExpectMsg<StagingProtocol.Begin>().Layers.Select(static layer => layer.Ticket));
        var found = new ExtractResult(parts[0].Expect.DiffId!.Value, parts[0].Expect.DiffId!.Value, 1, 1, LayerCompression.None, 1, [0], [0], []);
        flow.Tell(new StagingProtocol.Staged(_tickets[0], found, 1), _stagings);
        Answer(flow, new StagingProtocol.Finished(_tickets[0], _stagings.ExpectMsg<StagingProtocol.Finish>().Record));
        _stagings.ExpectMsg<StagingProtocol.Commit>();
        return flow;
    }

    private void Answer(IActorRef flow, StagingProtocol.IForTicket answer) => flow.Tell(answer, _stagings);

    private StorageError Ended(IActorRef flow)
    {
        for (var left = 2; left > 0; left--) Answer(flow, new StagingProtocol.Ended(_stagings.ExpectMsg<StagingProtocol.End>().Ticket));
        _catalog.ExpectMsg<CatalogInternal.Free>();
        flow.Tell(new CatalogInternal.Freed(), _catalog);
        return ExpectMsg<StoreProtocol.Refused>().Error;
    }
}
