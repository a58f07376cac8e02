using Akka.Actor;

namespace Akka.Persistence;

public abstract partial class Eventsourced
{
    /// <summary>How the next message is taken; the behaviour is the actor's own for commands.</summary>
    private delegate void Phase(Receive behaviour, object message);

    private sealed record RecoveryTick(bool Snapshot) : INoSerializationVerificationNeeded, INotInfluenceReceiveTimeout;

    private Phase _phase;
    private ICancelable? _recoveryTimer;
    private bool _eventSeenInInterval;
    private bool _hasPermit;

    protected internal override bool AroundReceive(Receive receive, object message)
    {
        if (message is RecoveryPermitGranted && _hasPermit) return true; // An earlier incarnation was let through, and it came here.
        _phase(receive, message);
        return true;
    }

    public override void AroundPreStart()
    {
        if (PersistenceId is null) throw new ArgumentNullException(paramName: null, $"PersistenceId is null [{Self.Path}]");
        // A missing plugin is to fail the actor's start, not its first write.
        _ = Journal;
        _ = SnapshotStore;
        Permitted(base.AroundPreStart);
    }

    public override void AroundPostRestart(Exception cause, object message)
    {
        Permitted(() => base.AroundPostRestart(cause, message));
    }

    /// <summary>Asks to recover. Who cannot even start is forgotten by Akka without another word, so he gives up his turn here.</summary>
    private void Permitted(Action start)
    {
        Extension.RecoveryPermitter.Request(Self);
        try
        {
            start();
        }
        catch
        {
            ReturnPermit();
            throw;
        }
    }

    private void WaitingForPermit(Receive behaviour, object message)
    {
        if (message is not RecoveryPermitGranted)
        {
            StashUntilRecovered(message);
            return;
        }
        _hasPermit = true;
        var recovery = Recovery;
        _phase = (_, next) => LoadingSnapshot(recovery, next);
        _recoveryTimer = Context.System.Scheduler.ScheduleTellOnceCancelable(RecoveryTimeout, Self, new RecoveryTick(Snapshot: true), Self);
        LoadSnapshot(SnapshotterId, recovery.FromSnapshot, recovery.ToSequenceNr);
    }

    private void LoadingSnapshot(Recovery recovery, object message)
    {
        switch (message)
        {
            case LoadSnapshotResult result:
                _recoveryTimer?.Cancel();
                if (result.Snapshot is { } snapshot && !TryOffer(snapshot)) break;
                _phase = Replaying;
                _recoveryTimer = Context.System.Scheduler.ScheduleTellRepeatedlyCancelable(
                    RecoveryTimeout, RecoveryTimeout, Self, new RecoveryTick(Snapshot: false), Self);
                Journal.Tell(new ReplayMessages(LastSequenceNr + 1L, result.ToSequenceNr, recovery.ReplayMax, PersistenceId, Self));
                break;
            case LoadSnapshotFailed failed:
                FailRecovery(failed.Cause);
                break;
            case RecoveryTick { Snapshot: true }:
                FailRecovery(new RecoveryTimedOutException(
                    $"Recovery timed out, didn't get snapshot within {RecoveryTimeout.TotalSeconds}s."));
                break;
            default:
                StashUntilRecovered(message);
                break;
        }
    }

    private bool TryOffer(SelectedSnapshot snapshot)
    {
        var before = LastSequenceNr;
        try
        {
            // Visible to the handler; taken back if the actor does not use the snapshot, so that all events are replayed.
            LastSequenceNr = snapshot.Metadata.SequenceNr;
            var handled = true;
            base.AroundReceive(m => handled = RecoveryBehaviour(m), new SnapshotOffer(snapshot.Metadata, snapshot.Snapshot));
            if (!handled) LastSequenceNr = before;
            return true;
        }
        catch (Exception cause)
        {
            FailRecovery(cause, snapshot.Snapshot);
            return false;
        }
    }

    private void Replaying(Receive behaviour, object message)
    {
        switch (message)
        {
            case ReplayedMessage replayed:
                Replay(replayed.Persistent);
                break;
            case RecoverySuccess success:
                FinishRecovery(success.HighestSequenceNr);
                break;
            case ReplayMessagesFailure failure:
                FailRecovery(failure.Cause);
                break;
            case RecoveryTick { Snapshot: false } when _eventSeenInInterval:
                _eventSeenInInterval = false;
                break;
            case RecoveryTick { Snapshot: false }:
                FailRecovery(new RecoveryTimedOutException(
                    $"Recovery timed out, didn't get event within {RecoveryTimeout.TotalSeconds}s, highest sequence number seen {LastSequenceNr}."));
                break;
            default:
                StashUntilRecovered(message);
                break;
        }
    }

    private void Replay(IPersistentRepresentation persistent)
    {
        try
        {
            _eventSeenInInterval = true;
            LastSequenceNr = Math.Max(LastSequenceNr, persistent.SequenceNr);
            base.AroundReceive(RecoveryBehaviour, persistent);
        }
        catch (Exception cause)
        {
            FailRecovery(cause, persistent.Payload);
        }
    }

    private void FinishRecovery(long highestStored)
    {
        _recoveryTimer?.Cancel();
        OnReplaySuccess();
        LastSequenceNr = _sequenceNr = Math.Max(LastSequenceNr, highestStored);
        IsRecovering = false;
        try
        {
            base.AroundReceive(RecoveryBehaviour, RecoveryCompleted.Instance);
        }
        finally
        {
            ReturnPermit();
        }
        FlushEvents();
        if (_pendingStashing > 0)
        {
            _phase = PersistingEvents;
            return;
        }
        _phase = ProcessingCommands;
        _internalStash.UnstashAll();
    }

    private bool RecoveryBehaviour(object message) => message switch
    {
        IPersistentRepresentation persistent when IsRecovering => ReceiveRecover(persistent.Payload),
        SnapshotOffer or RecoveryCompleted => ReceiveRecover(message),
        _ => false,
    };

    private void FailRecovery(Exception cause, object? message = null)
    {
        _recoveryTimer?.Cancel();
        try
        {
            OnRecoveryFailure(cause, message);
        }
        finally
        {
            Context.Stop(Self);
            ReturnPermit();
        }
    }

    private void ReturnPermit() => Extension.RecoveryPermitter.Return(Self);

    private void StashUntilRecovered(object message)
    {
        // Nothing was written by this incarnation yet: these answer an earlier one.
        if (message is IJournalResponse and not (DeleteMessagesSuccess or DeleteMessagesFailure) or RecoveryTick) return;
        _internalStash.Stash();
    }

    private TimeSpan RecoveryTimeout => JournalPlugin.RecoveryEventTimeout;
}
