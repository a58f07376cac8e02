using Akka.Actor;
using Akka.Event;
using StorageActors.Dispatching;
using StorageActors.Drivers;
using StorageActors.DriverOperations;
using StorageActors.Journal;
using StorageActors.Protocol;

namespace StorageActors.Layers;

/// <content>From the journal and the kernel to a state.</content>
internal sealed partial class LayerActor
{
    /// <summary>The kernel is asked what is mounted.</summary>
    private static readonly Behavior<LayerActor> Starting = new(static state =>
    {
        state.On<DriverProtocol.Completed<FoundMount>>(static (layer, found) => layer.Settle(found.Result.Mount), IsCurrent);
        state.On<DriverProtocol.Failed>(
            static (layer, failed) =>
            {
                layer._log.Warning("layer {0}: it is not known whether it is mounted: {1}", layer.Id, failed.Error);
                layer.Settle(null); // Mounting takes over what is there.
            },
            IsCurrent);
        Always(state);
        Otherwise(state);
    });

    private void LookForMount()
    {
        if (_remembered is not null)
        {
            _state = _state.Apply(new LeaseEvent.Snapshot(_remembered));
            _journalIsBehind = true; // Written with the next change: writing now might fail again, and again.
        }

        foreach (var lease in _state.Void(_environment.BootId, _environment.Run).ToList())
        {
            _log.Info("layer {0}: lease {1} of {2} ended with an earlier {3}", Id, lease.Lease, lease.Owner, lease.BootId == _environment.BootId ? "engine" : "boot");
            Record(new LeaseEvent.Released(lease.Lease));
        }

        EndLeases(_state.WhyOver(_environment.Time.GetUtcNow()));
        foreach (var lease in _state.Leases) Watch(lease.Lease, HolderOf(lease));
        Context.Parent.Tell(new LayerInternal.Ready(Id));
        Perform(new FindMount(_setup.Location, _state.Leases.LastOrDefault()?.Mode));
    }

    private void Settle(ActiveMount? mount)
    {
        var oldest = _state.Leases.FirstOrDefault();
        if (mount is null && oldest is null)
        {
            if (_environment.Mounts.IsHeld(Id)) Show(); // What an earlier actor of this layer left there.
            Enter(Unmounted);
        }
        else if (mount is null)
        {
            _log.Warning("layer {0}: it is held by {1}, but not mounted; it is mounted again", Id, _state.Names());
            Mount(oldest!.Mode, oldest.Options, oldest.Ids ?? _state.OwnIds);
        }
        else
        {
            _state = _state.Mounted(mount, oldest?.Options);
            Show();
            if (oldest is not null)
            {
                Enter(Mounted);
            }
            else
            {
                _log.Info("layer {0}: nobody holds its mount {1}; it is unmounted", Id, mount.Path);
                Unmount(force: false, () => Enter(Unmounted), _ => Enter(Mounted));
            }
        }
    }
}
