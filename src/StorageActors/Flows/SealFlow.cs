using Akka.Actor;
using StorageActors.Catalog;
using StorageActors.DriverOperations;
using StorageActors.Drivers;
using StorageActors.Layers;
using StorageActors.Protocol;
using StorageActors.Settings;

namespace StorageActors.Flows;

/// <summary>Seals a writable layer: nobody writes to it from when its tar is computed until the journal has it.</summary>
internal sealed class SealFlow : FlowActor
{
    private readonly StoreProtocol.Seal _command;
    private readonly FlowProgress _progress;
    private LayerRecord? _held;

    public SealFlow(FlowContext store, IActorRef requester, StoreProtocol.Seal command)
        : base(store, requester, "seal")
    {
        (_command, _progress) = (command, new FlowProgress(store, command.Ticket, StagingPhase.Sealing) { Total = null });
        Receive<ExtractionAdvanced>(advanced => _progress.Reached(advanced.BytesRead, advanced.Entries));
    }

    private IReadOnlyDictionary<string, string> Labels => _command.Labels ?? new Dictionary<string, string>(StringComparer.Ordinal);

    protected override void Start() =>
        Ask<CatalogInternal.LayerTaken>(Store.Catalog, new CatalogInternal.TakeForSealing(_command.Layer, _command.Names ?? [], Labels), taken => Hold(taken.Layer));

    protected override void OnStop(StorageError why) => CancelOperations();

    protected override void Refuse(StorageError error)
    {
        _progress.End(StagingPhase.Failed);
        if (_held is not null) TellLayer(_held, new LayerInternal.Unhold(_held.Kind));
        base.Refuse(error);
    }

    private void Hold(LayerRecord layer) => AskLayer<LayerInternal.Held>(layer, new LayerInternal.Hold(Self), _ =>
    {
        _held = layer;
        _progress.Reached(0);
        Perform(new SealLayer(Store.Layout.Locate(layer), Store.ParentsOf(layer), ProgressTarget.Of(_command.Ticket, Self)), written => Sync(Sealed(layer, written)));
    });

    private LayerRecord Sealed(LayerRecord layer, WrittenTar written)
    {
        var parent = layer.Parent is { } id ? Store.View.Current.FindLayer(id) : null;
        Digest? chain = layer.Parent is not null && parent?.ChainId is null ? null : Digest.Chain(parent?.ChainId, written.DiffId);
        return layer with
        {
            Kind = LayerKind.Sealed, DiffId = written.DiffId, ChainId = chain, Size = written.Size, Entries = written.Entries,
            Uids = written.Uids, Gids = written.Gids, Warnings = written.Warnings.Count == 0 ? null : written.Warnings,
        };
    }

    /// <summary>What containers wrote may not be on disk yet; the record is going to say that it is.</summary>
    private void Sync(LayerRecord sealedLayer)
    {
        if (Store.Settings.Durability == Durability.None) Commit(sealedLayer);
        else Ask<DurabilityActor.Synced>(Store.Durability, new DurabilityActor.Sync(null), _ => Commit(sealedLayer));
    }

    private void Commit(LayerRecord sealedLayer) =>
        Ask<CatalogInternal.SealCommitted>(Store.Catalog, new CatalogInternal.CommitSeal(sealedLayer, _command.Names ?? [], Labels), committed =>
        {
            _progress.End(StagingPhase.Done, committed.Layer.Size, committed.Layer.Entries);
            TellLayer(committed.Layer, new LayerInternal.Unhold(LayerKind.Sealed));
            Finish(new StoreProtocol.LayerSealed(committed.Layer));
        });
}
