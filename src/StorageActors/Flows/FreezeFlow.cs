using Akka.Actor;
using StorageActors.Catalog;
using StorageActors.DriverOperations;
using StorageActors.Drivers;
using StorageActors.Layers;
using StorageActors.Protocol;
using StorageActors.Settings;

namespace StorageActors.Flows;

/// <summary><see cref="StoreProtocol.Freeze"/>: nothing is read but what is needed to say how large the layer is; its content is durable before the journal says that it is sealed.</summary>
internal sealed class FreezeFlow : FlowActor
{
    private readonly StoreProtocol.Freeze _command;
    private LayerRecord? _held;

    public FreezeFlow(FlowContext store, IActorRef requester, StoreProtocol.Freeze command)
        : base(store, requester, "freeze") => _command = command;

    protected override void Start()
    {
        if (NameRules.CheckLabels(Operation, _command.Labels) is { } wrong) Refuse(wrong);
        else Ask<CatalogInternal.LayerTaken>(Store.Catalog, new CatalogInternal.TakeForFreezing(_command.Layer, _command.Names ?? [], _command.Parent), taken => Hold(taken.Layer));
    }

    protected override void Refuse(StorageError error)
    {
        if (_held is not null) TellLayer(_held, new LayerInternal.Unhold(_held.Kind));
        base.Refuse(error);
    }

    private void Hold(LayerRecord layer)
    {
        var isMoved = layer.Parent is null && _command.Parent is not null;
        if (isMoved && !Store.Capabilities.HasFlag(DriverCapabilities.Rebase))
        {
            Refuse(new StorageError(StorageErrorCode.Unsupported, Operation, "this store's driver cannot put a layer onto another one; make it there"));
            return;
        }

        AskLayer<LayerInternal.Held>(layer, new LayerInternal.Hold(Self), _ =>
        {
            _held = layer;
            var settled = layer with { Parent = _command.Parent ?? layer.Parent };
            Perform(
                new FreezeLayer(Store.Layout.Locate(layer), Store.ParentsOf(settled), isMoved, FillRules.IsMarked(layer)),
                content => Sync(Frozen(settled, content)));
        });
    }

    private LayerRecord Frozen(LayerRecord layer, FrozenContent content)
    {
        var frozen = layer with
        {
            Kind = LayerKind.Sealed,
            Names = NameRules.Sorted(_command.Names ?? []),
            Labels = new SortedDictionary<string, string>((_command.Labels ?? new Dictionary<string, string>()).ToDictionary(StringComparer.Ordinal), StringComparer.Ordinal),
        };
        if (content.Filled is not { } filled) return frozen;
        var parent = layer.Parent is { } id ? Store.View.Current.FindLayer(id) : null;
        var warnings = filled.Warnings.Concat(content.Warnings).ToList();
        return frozen with
        {
            DiffId = filled.DiffId, ChainId = layer.Parent is not null && parent?.ChainId is null ? null : Digest.Chain(parent?.ChainId, filled.DiffId),
            BlobDigest = filled.BlobDigest, BlobSize = filled.BlobSize, Compression = filled.Compression, Size = filled.Size, Entries = filled.Entries,
            Uids = filled.Uids, Gids = filled.Gids, Warnings = warnings.Count == 0 ? null : warnings,
        };
    }

    /// <summary>What a client wrote may not be on disk yet; the record is going to say that it is.</summary>
    private void Sync(LayerRecord frozen)
    {
        if (Store.Settings.Durability == Durability.None) Commit(frozen);
        else Ask<DurabilityActor.Synced>(Store.Durability, new DurabilityActor.Sync(null), _ => Commit(frozen));
    }

    private void Commit(LayerRecord frozen) => Ask<CatalogInternal.SealCommitted>(Store.Catalog, new CatalogInternal.CommitFreeze(frozen), _ =>
    {
        TellLayer(frozen, new LayerInternal.Unhold(LayerKind.Sealed, Store.ParentsOf(frozen)));
        _held = null;
        Finish(new StoreProtocol.LayerFrozen(frozen));
    });
}
