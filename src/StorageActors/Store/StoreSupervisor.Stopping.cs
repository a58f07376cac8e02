using Akka.Actor;
using Akka.Event;
using StorageActors.Catalog;
using StorageActors.Flows;
using StorageActors.Journal;
using StorageActors.Layers;
using StorageActors.Protocol;
using StorageActors.Trash;

namespace StorageActors.Store;

/// <content>The way out.</content>
internal sealed partial class StoreSupervisor
{
    private static readonly TimeSpan LeastPatience = TimeSpan.FromSeconds(10);

    /// <summary>What was cancelled has to put its things away; whoever does not come to an end in this time is left to the next start.</summary>
    private TimeSpan LastPatience => LastPatienceOf(_setup.Settings.DrainTimeout);

    /// <summary>For what a command that failed, or was one of the last, has left in the trash. More than can be deleted in that time waits for the next engine.</summary>
    private static readonly TimeSpan TrashPatience = TimeSpan.FromSeconds(3);

    /// <summary>A mount may be busy for a moment: while a program starts, its process has its parent's directories. The driver's calls are repeated for seconds besides.</summary>
    private const int MaximumReleases = 2;

    private static readonly TimeSpan ReleasePause = TimeSpan.FromMilliseconds(100);

    private int _releases;
    private int _releaseRounds;
    private bool _isReleasing;
    private bool _isBusy;
    private bool _isLate;
    private int _lateRounds;
    private readonly FlushCount _flush = new();
    private Action? _flushed;

    /// <summary>How long a store takes to stop at most: for what runs, for what of it was cancelled, for what is held, for the journal, and for the trash.</summary>
    internal static TimeSpan LongestStop(TimeSpan drainTimeout) => drainTimeout + (4 * LastPatienceOf(drainTimeout)) + TrashPatience;

    /// <summary>Who gives running commands more time has a slower disk.</summary>
    private static TimeSpan LastPatienceOf(TimeSpan drainTimeout) => drainTimeout > LeastPatience ? drainTimeout : LeastPatience;

    /// <summary>Takes no new work, and lets what runs end.</summary>
    private void Stop()
    {
        Become(Stopping);
        if (_flows.Count == 0) SettleHeld();
        else Timers.StartSingleTimer(TimeIsUp.Instance, TimeIsUp.Instance, _setup.Settings.DrainTimeout);
    }

    private void Stopping()
    {
        Questions();
        Receive<LayerProtocol.Release>(ToLayer); // Who gives back may do so to the end.
        Receive<LayerProtocol.ReleaseAll>(ToLayer);
        Receive<StoreProtocol.ICommand>(command => Sender.Tell(new StoreProtocol.Refused(
            new StorageError(StorageErrorCode.ShuttingDown, command.GetType().Name, "the engine is stopping and takes no new work"))));
        Receive<TimeIsUp>(_ =>
        {
            Timers.StartSingleTimer(PatienceIsUp.Instance, PatienceIsUp.Instance, LastPatience);
            foreach (var flow in _flows.All) flow.Tell(new StopFlow(StorageErrorCode.ShuttingDown, "the engine is stopping"));
        });
        Receive<PatienceIsUp>(_ =>
        {
            // One layer that does not come to an end keeps nobody else's mount.
            if (_flushed is null || _isReleasing)
            {
                Context.Stop(Self);
                return;
            }

            _flush.GiveUp();
            ReleaseHeld();
        });
        Receive<Ended>(ended =>
        {
            _flows.Remove(ended.Child);
            if (ended.Child.Equals(_context.Catalog) || IsVital(ended.Child)) Context.Stop(Self);
            else if (_flows.Count == 0 && _flushed is null) SettleHeld();
        });
        Receive<LayerProtocol.Released>(_ => Released());
        Receive<StoreProtocol.Refused>(refused =>
        {
            var isBusy = refused.Error.Code == StorageErrorCode.InUse;
            // Its holder's death came in before: the lease has ended, but its mount may have been too busy to go with it.
            var isLate = refused.Error.Reason is StorageErrorReason.UnknownLease or StorageErrorReason.NotMounted;
            if (!isLate && (!isBusy || _releaseRounds - _lateRounds == MaximumReleases)) _log.Warning("{0}", refused.Error);
            _isBusy |= isBusy;
            _isLate |= isLate;
            Released();
        });
        Receive<ReleaseAgain>(_ => ReleaseHeld());
        Receive<LayerInternal.Flushed>(flushed => Flushed(flushed.Number));
        Receive<CatalogInternal.Flushed>(flushed => Flushed(flushed.Number));
        Receive<TrashProtocol.Backlog>(backlog =>
        {
            if (backlog.Trees == 0) Context.Stop(Self);
            else _context.Trash.Tell(new TrashProtocol.Empty());
        });
        Receive<TrashProtocol.Emptied>(_ => Context.Stop(Self));
        Receive<StoreInternal.Stop>(static _ => { });
        ReceiveAny(static _ => { });
    }

    /// <summary>What came in last comes to its end first: a mount that is on its way can be released when it is there.</summary>
    private void SettleHeld() => Flush(ReleaseHeld);

    /// <summary>Actors end with their system, and their leases with them; what nobody in this process holds stays mounted.</summary>
    private void ReleaseHeld()
    {
        if (!_isReleasing) Timers.StartSingleTimer(PatienceIsUp.Instance, PatienceIsUp.Instance, LastPatience);
        (_isReleasing, _isBusy, _isLate) = (true, false, false);
        foreach (var mount in _mounts.List())
        {
            if (_view.Current.FindOwn(mount.Layer) is not { } layer) continue;
            // One without leases was too busy to go with its last.
            var leases = mount.Leases.Count == 0 ? [null] : mount.Leases.Where(static lease => LeaseEvent.IsActor(lease.Owner)).Select(static lease => (LeaseId?)lease.Lease);
            foreach (var lease in leases)
            {
                _releases++;
                _context.Layers.Tell(new LayerInternal.Deliver(_context.SetupOf(layer), new LayerProtocol.Release(mount.Layer, lease)));
            }
        }

        if (_releases > 0) _releaseRounds++;
        else if (_releaseRounds > 0) Flush(EmptyTrash);
        else EmptyTrash();
    }

    private void Released()
    {
        if (--_releases > 0) return;
        if (_isLate) _lateRounds++; // Nobody has tried to unmount in it.
        if (_isLate || (_isBusy && _releaseRounds - _lateRounds < MaximumReleases)) Timers.StartSingleTimer(ReleaseAgain.Instance, ReleaseAgain.Instance, ReleasePause);
        else Flush(EmptyTrash);
    }

    /// <summary>What was answered before the journal had it, a lease, is journaled now; and what came in last has its answer.</summary>
    private void Flush(Action then)
    {
        Timers.StartSingleTimer(PatienceIsUp.Instance, PatienceIsUp.Instance, LastPatience);
        _flush.Begin(parts: 2);
        _flushed = then;
        _context.Layers.Tell(new LayerInternal.Flush(_flush.Number));
        _context.Catalog.Tell(new CatalogInternal.Flush(_flush.Number));
    }

    private void Flushed(int number)
    {
        if (_flush.IsLast(number)) _flushed!();
    }

    private void EmptyTrash()
    {
        _isAtRest = true;
        Timers.StartSingleTimer(PatienceIsUp.Instance, PatienceIsUp.Instance, TrashPatience);
        _context.Trash.Tell(new TrashProtocol.GetBacklog());
    }

    private sealed record TimeIsUp : INoSerializationVerificationNeeded
    {
        internal static readonly TimeIsUp Instance = new();
    }

    private sealed record ReleaseAgain : INoSerializationVerificationNeeded
    {
        internal static readonly ReleaseAgain Instance = new();
    }

    private sealed record PatienceIsUp : INoSerializationVerificationNeeded
    {
        internal static readonly PatienceIsUp Instance = new();
    }
}
