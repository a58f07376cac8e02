using Akka.Actor;
using StorageActors.Catalog;
using StorageActors.DriverOperations;
using StorageActors.Drivers;
using StorageActors.Protocol;

namespace StorageActors.Flows;

/// <summary><see cref="StoreProtocol.GetMetadata"/>.</summary>
internal sealed class MetadataFlow(FlowContext store, IActorRef requester, StoreProtocol.GetMetadata command) : FlowActor(store, requester, "inspect")
{
    protected override void Start()
    {
        if (Store.View.Current.FindLayer(command.Layer) is not { } layer)
        {
            Refuse(Refusals.NotFound(Operation, command.Layer));
            return;
        }

        Perform(
            new FindPlaces(Store.Layout.Driver, Store.Locate(layer.Id), Store.ParentsOf(layer)),
            places => Answer(new StoreProtocol.Metadata(layer.Id, places)));
    }

    protected override void Refuse(StorageError error) => Answer(new StoreProtocol.Refused(error));
}

/// <summary>Finds out where a driver keeps a layer.</summary>
internal sealed record FindPlaces(string Driver, LayerLocation Layer, IReadOnlyList<LayerLocation> Parents) : DriverOperation<LayerMetadata>
{
    internal override string Verb => "inspect";

    internal override LayerMetadata Execute(DriverServices services, CancellationToken stop) => LayerPlaces.Of(Driver, Layer, Parents);
}
