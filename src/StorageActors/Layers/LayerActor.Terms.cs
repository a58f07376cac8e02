using Akka.Actor;
using Akka.Event;
using StorageActors.Journal;
using StorageActors.Protocol;

namespace StorageActors.Layers;

/// <content>Leases that end though nobody releases them: their process ends, or their term.</content>
internal sealed partial class LayerActor
{
    /// <summary>Looks after them as long as there are any.</summary>
    private void WatchTerms()
    {
        if (!_state.Leases.Any(static lease => lease.IsWatched)) Timers.Cancel(CheckTerms.Instance);
        else if (!Timers.IsTimerActive(CheckTerms.Instance)) Timers.StartPeriodicTimer(CheckTerms.Instance, CheckTerms.Instance, _environment.TermCheck);
    }

    private void EndOver()
    {
        var over = _state.WhyOver(_environment.Time.GetUtcNow());
        if (over.Count == 0) return;
        EndLeases(over);
        Show();
        WatchTerms();
        // Nobody is left who could be told that the mount is busy: it is tried again until it is not.
        UnmountLingering();
    }

    private void EndLeases(IReadOnlyList<(LeaseEvent.Granted Lease, string Why)> over)
    {
        foreach (var (lease, why) in over) End(lease.Lease, why);
    }

    private void Announce(LeaseEvent.Granted lease, string reason)
    {
        _log.Info("layer {0}: lease {1} of {2} ended: {3}", Id, lease.Lease, lease.Owner, reason);
        Context.System.EventStream.Publish(new LayerProtocol.LeaseEnded(Id, lease.Lease, lease.Owner, reason));
    }

    /// <summary>See whose process or term is over.</summary>
    private sealed record CheckTerms
    {
        internal static readonly CheckTerms Instance = new();
    }
}
