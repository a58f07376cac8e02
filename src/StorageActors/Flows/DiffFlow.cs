using Akka.Actor;
using StorageActors.Catalog;
using StorageActors.DriverOperations;
using StorageActors.Drivers;
using StorageActors.Protocol;

namespace StorageActors.Flows;

/// <summary>Compares a layer with its parent or with another layer: writes the difference as a tar, or lists it. Both layers stay meanwhile.</summary>
internal sealed class DiffFlow : FlowActor
{
    private readonly LayerId _layer;
    private readonly LayerId? _from;
    private readonly bool _isWhole;
    private readonly StoreProtocol.WriteDiff? _write;
    private readonly FlowProgress? _progress;

    public DiffFlow(FlowContext store, IActorRef requester, StoreProtocol.WriteDiff command)
        : base(store, requester, "diff")
    {
        (_layer, _from, _isWhole, _write) = (command.Layer, command.From, command.Whole, command);
        _progress = new FlowProgress(store, command.Ticket, StagingPhase.Writing) { Total = null };
        Receive<ExtractionAdvanced>(advanced => _progress.Reached(advanced.BytesRead, advanced.Entries));
    }

    public DiffFlow(FlowContext store, IActorRef requester, StoreProtocol.GetChanges command)
        : base(store, requester, "changes") => (_layer, _from, _isWhole) = (command.Layer, command.From, command.Whole);

    protected override void Start()
    {
        if (_isWhole && _from is not null)
        {
            Refuse(new StorageError(StorageErrorCode.InvalidArgument, Operation, "the whole tree is compared with nothing: give a layer to compare with, or ask for the whole"));
            return;
        }

        IReadOnlyList<LayerId> layers = _from is { } from && from != _layer ? [_layer, from] : [_layer];
        Ask<CatalogInternal.LayersPinned>(Store.Catalog, new CatalogInternal.PinLayers(Operation, layers), pinned => Compare(pinned.Layers));
    }

    protected override void OnStop(StorageError why) => CancelOperations();

    protected override void Refuse(StorageError error)
    {
        _progress?.End(StagingPhase.Failed);
        base.Refuse(error);
    }

    private void Compare(IReadOnlyList<LayerRecord> layers)
    {
        if (layers.FirstOrDefault(static one => one.Damage is not null) is { } damaged)
        {
            Refuse(Refusals.Damaged(Operation, damaged, damaged.Damage!));
            return;
        }

        var layer = layers[0];
        var isFromParent = layer.Parent is null ? _from is null : !_isWhole && (_from is null || _from == layer.Parent);
        var from = _from is null || isFromParent ? null : layers[^1];
        var request = new DiffRequest(
            Store.Locate(layer.Id), Store.ParentsOf(layer), from is null ? null : Store.Locate(from.Id),
            from is null ? [] : Store.ParentsOf(from),
            Exact: _write is not null && isFromParent && layer is { Kind: LayerKind.Sealed, DiffId: not null }, Whole: _isWhole);
        if (_write is null) Perform(new ListChanges(request), changes => Finish(new StoreProtocol.Changes(changes)));
        else Write(layer, request, _write);
    }

    private void Write(LayerRecord layer, DiffRequest request, StoreProtocol.WriteDiff command)
    {
        if (request.Exact) _progress!.Total = layer.Size;
        _progress!.Reached(0);
        Perform(
            new SendDiff(request, command.Target, command.Compression, Store.Settings.IsDurable, ProgressTarget.Of(command.Ticket, Self)), written => Check(layer, request.Exact, written));
    }

    private void Check(LayerRecord layer, bool isExact, StoreProtocol.DiffWritten written)
    {
        if (!isExact || written.DiffId == layer.DiffId)
        {
            _progress?.End(StagingPhase.Done, written.Size, isExact ? layer.Entries : null);
            Finish(written);
        }
        else Refuse(new StorageError(StorageErrorCode.Damaged, Operation, $"what was written has the digest {written.DiffId}, not the layer's {layer.DiffId}; run check --full"));
    }
}
