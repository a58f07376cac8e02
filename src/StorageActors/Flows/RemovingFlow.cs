using Akka.Actor;
using StorageActors.Catalog;
using StorageActors.DriverOperations;
using StorageActors.Layers;
using StorageActors.Protocol;
using StorageActors.Trash;

namespace StorageActors.Flows;

/// <summary>
/// Removes layers, one after the other: taken at the catalog, so that nothing is built on it any more; drained, so that nobody holds it; renamed to the
/// trash; journaled. Their bytes are deleted afterwards, and nobody waits for that.
/// </summary>
internal abstract class RemovingFlow(FlowContext store, IActorRef requester, string operation) : FlowActor(store, requester, operation)
{
    private LayerRecord? _drained;

    /// <summary>Removes layers in this order, up to the first that is refused.</summary>
    /// <param name="layers">Children first.</param>
    /// <param name="force">Whether leases are ended.</param>
    /// <param name="done">Gets those that are gone, and why the others are not.</param>
    /// <param name="heldBy">The client that removes them, if one does.</param>
    protected void Remove(IReadOnlyList<LayerId> layers, bool force, Action<IReadOnlyList<LayerId>, StorageError?> done, string? heldBy = null)
    {
        var removed = new List<LayerId>(layers.Count);
        Next();

        void Next()
        {
            if (removed.Count == layers.Count) done(removed, null);
            else Ask<CatalogInternal.LayerTaken>(Store.Catalog, new CatalogInternal.TakeForRemoval(layers[removed.Count], force, heldBy), Drain, Stop);
        }

        void Drain(CatalogInternal.LayerTaken taken) =>
            AskLayer<LayerInternal.Drained>(taken.Layer, new LayerInternal.Drain(force), _ => Rename(taken.Layer), Stop);

        void Rename(LayerRecord layer)
        {
            _drained = layer;
            Perform(new RemoveLayer(Store.Layout.Locate(layer.Id)), trashed => Commit(layer, trashed), Stop);
        }

        void Commit(LayerRecord layer, TrashedPath trashed) =>
            Ask<CatalogInternal.RemovalCommitted>(Store.Catalog, new CatalogInternal.CommitRemoval(layer.Id), _ =>
            {
                _drained = null;
                TellLayer(layer, new LayerInternal.Forget());
                Store.Trash.Tell(new TrashProtocol.Collect(trashed.Path));
                removed.Add(layer.Id);
                Next();
            });

        void Stop(StorageError error)
        {
            Undrain();
            done(removed, error);
        }
    }

    protected override void PostStop()
    {
        Undrain();
        base.PostStop();
    }

    private void Undrain()
    {
        if (_drained is not null) TellLayer(_drained, new LayerInternal.Undrain());
        _drained = null;
    }
}

/// <summary><see cref="StoreProtocol.Remove"/>.</summary>
internal sealed class RemoveFlow(FlowContext store, IActorRef requester, StoreProtocol.Remove command) : RemovingFlow(store, requester, "remove")
{
    protected override void Start() => Remove([command.Layer], command.Force, (_, refusal) =>
    {
        if (refusal is null) Finish(new StoreProtocol.LayerRemoved(command.Layer));
        else Refuse(refusal);
    }, command.HeldBy);
}
