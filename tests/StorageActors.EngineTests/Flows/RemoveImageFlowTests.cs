using Akka.Actor;
using Akka.TestKit;
using StorageActors.Catalog;
using StorageActors.DriverOperations;
using StorageActors.Drivers;
using StorageActors.EngineTests.Support;
using StorageActors.Flows;
using StorageActors.Layers;
using StorageActors.Protocol;
using StorageActors.Settings;
using StorageActors.Store;
using StorageActors.Transfers;
using StorageActors.Trash;
using Xunit;

namespace StorageActors.EngineTests.Flows;

/// <summary>
/// The order in which an image goes: renamed to the trash, then journaled, and only then deleted. One probe stands for all neighbours, so the order in which they are
/// told is the order in which it gets messages.
/// </summary>
public sealed class RemoveImageFlowTests : EngineTest
{
    private static readonly ImageId Image = ImageId.Of(Digest.Of([1]));
    private readonly TestProbe _neighbour;
    private readonly TransferTable _transfers = new(TimeProvider.System);

    public RemoveImageFlowTests() => _neighbour = CreateTestProbe();

    [Fact]
    public void Its_files_are_deleted_when_the_journal_has_the_removal_and_no_sooner()
    {
        var flow = Trashed();

        flow.Tell(new CatalogInternal.ImageRemovalCommitted(Image), _neighbour);

        Assert.Equal("/store/trash/image.1", _neighbour.ExpectMsg<TrashProtocol.Collect>().Path);
        _neighbour.ExpectMsg<CatalogInternal.Free>();
        flow.Tell(new CatalogInternal.Freed(), _neighbour);
        Assert.Equal(Image, ExpectMsg<CatalogProtocol.ImageRemoved>().Image);
    }

    [Fact]
    public void What_the_journal_does_not_take_stays_in_the_trash_for_the_next_start()
    {
        var flow = Trashed();

        flow.Tell(new StoreProtocol.Refused(new StorageError(StorageErrorCode.NoSpace, "journal", "full")), _neighbour);

        _neighbour.ExpectMsg<CatalogInternal.Free>(); // And nothing to the trash before it.
        flow.Tell(new CatalogInternal.Freed(), _neighbour);
        Assert.Equal(StorageErrorCode.NoSpace, ExpectMsg<StoreProtocol.Refused>().Error.Code);
    }

    protected override void AfterAll()
    {
        base.AfterAll();
        _transfers.Dispose();
    }

    /// <summary>A flow whose image is in the trash, and that waits for the journal.</summary>
    private IActorRef Trashed()
    {
        var settings = new StorageSettings { Path = "storage-actors", Root = "/store", Durability = Durability.None };
        var context = new FlowContext(
            _neighbour, _neighbour, _neighbour, _neighbour, _neighbour, _neighbour, new CatalogView(), new MountView(), new StoreLayout("/store", "stub"), settings,
            DriverCapabilities.Rebase, _transfers, TimeProvider.System, static _ => { });
        var flow = Sys.ActorOf(Props.Create(() => new RemoveImageFlow(context, TestActor, new CatalogProtocol.RemoveImage(Image, false, false))));
        var record = new ImageRecord(Image, ["name"], [], new Dictionary<string, string>(StringComparer.Ordinal), DateTimeOffset.UnixEpoch, null, []);
        _neighbour.ExpectMsg<CatalogInternal.TakeImage>();
        flow.Tell(new CatalogInternal.ImageTaken(Image, record), _neighbour);
        var files = _neighbour.ExpectMsg<DriverProtocol.Perform>();
        Assert.IsType<RemoveImageFiles>(files.Operation);
        flow.Tell(new DriverProtocol.Completed<TrashedPath>(files.Attempt, new TrashedPath("/store/trash/image.1")), _neighbour);
        _neighbour.ExpectMsg<CatalogInternal.CommitImageRemoval>();
        return flow;
    }
}
