using Akka.Actor;
using StorageActors.Archive.Apply;
using StorageActors.Catalog;
using StorageActors.DriverOperations;
using StorageActors.Layers;
using StorageActors.Protocol;

namespace StorageActors.Flows;

/// <summary><see cref="StoreProtocol.Fill"/>: the layer is marked before the first byte, and nobody else changes it meanwhile.</summary>
internal sealed class FillFlow : FlowActor
{
    private readonly StoreProtocol.Fill _command;
    private readonly TicketId _ticket;
    private LayerRecord? _held;

    public FillFlow(FlowContext store, IActorRef requester, StoreProtocol.Fill command, TicketId ticket)
        : base(store, requester, "fill")
    {
        (_command, _ticket) = (command, ticket);
        Receive<ExtractionAdvanced>(advanced => Publish(StagingPhase.Extracting, advanced.BytesRead, advanced.Entries));
    }

    protected override void Start()
    {
        if (_command.Owner is { } owner) Context.WatchWith(owner, new StopFlow(StorageErrorCode.Cancelled, "its owner died"));
        Ask<CatalogInternal.LayerTaken>(Store.Catalog, new CatalogInternal.TakeForFilling(_command.Layer), taken => Hold(taken.Layer));
    }

    protected override void OnStop(StorageError why) => CancelOperations();

    protected override void PostStop()
    {
        ReleaseUploads([_command.Source]);
        base.PostStop();
    }

    protected override void Refuse(StorageError error)
    {
        ReleaseUploads([_command.Source]);
        Publish(StagingPhase.Failed, 0, 0);
        if (_held is not null) TellLayer(_held, new LayerInternal.Unhold(_held.Kind));
        base.Refuse(error);
    }

    private void Hold(LayerRecord layer) => AskLayer<LayerInternal.Held>(layer, new LayerInternal.Hold(Self), _ =>
    {
        _held = layer;
        var mark = new Dictionary<string, string>(StringComparer.Ordinal) { [FillRules.Mark] = _ticket.Value };
        Ask<CatalogProtocol.Resolved>(Store.Catalog, new CatalogProtocol.ChangeLabels(layer.Id, mark), _ => Fill(layer));
    });

    private void Fill(LayerRecord layer)
    {
        Publish(StagingPhase.Extracting, 0, 0);
        var fill = new FillLayer(
            Store.Layout.Locate(layer.Id), Store.ParentsOf(layer), _ticket, _command.Source, _command.Expect, Store.Settings.Limits, Self);
        Perform(fill, filled => Filled(layer, filled));
    }

    private void Filled(LayerRecord layer, ExtractResult filled)
    {
        Publish(StagingPhase.Done, filled.BlobSize, filled.Entries);
        TellLayer(layer, new LayerInternal.Unhold(layer.Kind));
        Finish(new StoreProtocol.LayerFilled(layer.Id, filled.DiffId, filled.Size, filled.BlobDigest, filled.Entries, filled.Warnings));
    }

    private void Publish(StagingPhase phase, long bytes, long entries) =>
        Store.Publish(new StagingProgress(_ticket, phase, bytes, _command.Source.Length, entries));
}
