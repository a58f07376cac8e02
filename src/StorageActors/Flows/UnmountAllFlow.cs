using Akka.Actor;
using StorageActors.Catalog;
using StorageActors.Layers;
using StorageActors.Protocol;

namespace StorageActors.Flows;

/// <summary><see cref="StoreProtocol.UnmountAll"/>: asks the owner of each mount, and lists what is left.</summary>
internal sealed class UnmountAllFlow(FlowContext store, IActorRef requester, StoreProtocol.UnmountAll command) : FlowActor(store, requester, "unmount all")
{
    private readonly Dictionary<LayerId, StorageError> _refusals = [];
    private readonly Queue<MountRecord> _mounts = new();
    private StorageError? _stopped;

    protected override void Start()
    {
        // What nobody holds was too busy to go with its last lease, and is tried in any case.
        foreach (var mount in Store.Mounts.List().Where(mount => command.Force || mount.Leases.Count == 0)) _mounts.Enqueue(mount);
        Next();
    }

    /// <summary>What is unmounted stays so.</summary>
    protected override void OnStop(StorageError why) => _stopped = why;

    private void Next()
    {
        if (_stopped is not null)
        {
            Refuse(_stopped);
        }
        else if (!_mounts.TryDequeue(out var mount))
        {
            Finish(new StoreProtocol.AllUnmounted(
                [.. Store.Mounts.List().Concat(ClientHolds.Show(Store.View.Layers())).Select(left => new StoreProtocol.MountLeft(left, _refusals.GetValueOrDefault(left.Layer)))]));
        }
        else if (Store.View.Current.FindOwn(mount.Layer) is not { } layer)
        {
            Next(); // Removed meanwhile, and its mount with it.
        }
        else
        {
            object ending = command.Force ? new LayerProtocol.ReleaseAll(mount.Layer, Force: true, command.Reason) : new LayerInternal.UnmountUnheld();
            AskLayer<LayerProtocol.Released>(layer, ending, _ => Next(), error =>
            {
                _refusals[mount.Layer] = error;
                Next();
            });
        }
    }
}
