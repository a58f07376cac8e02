using Akka.Persistence;
using StorageActors.Journal;
using StorageActors.Protocol;
using StorageActors.Store;

namespace StorageActors.Layers;

/// <content>What the journal has of the leases: those that outlive the engine.</content>
internal sealed partial class LayerActor
{
    private const int EventsBetweenSnapshots = 200;

    /// <summary>The leases that the journal has or is about to have.</summary>
    private readonly HashSet<LeaseId> _inJournal = [];

    /// <summary>The leases after the last event that is known to be in the journal: later events may be on their way.</summary>
    private LayerState _journaled;
    private bool _journalIsBehind;

    /// <summary>Events on their way to the journal: the mount stays until they are there, and so does this actor.</summary>
    private int _writes;

    private int _eventsSinceSnapshot;

    private void Recovered(IJournalEvent happened)
    {
        _state = _journaled = _state.Apply(happened);
        NoteInJournal(happened);
    }

    /// <summary>
    /// Changes the leases: at once in memory; for the journal, which nobody waits for, if it matters to the next engine. A lease that an actor holds
    /// ends with this one, so the journal never has it; unless it takes the place of one that the journal has.
    /// </summary>
    private void Record(IJournalEvent happened)
    {
        _state = _state.Apply(happened);
        var matters = happened switch
        {
            LeaseEvent.Granted granted => !granted.IsActors || _inJournal.Contains(granted.Lease),
            LeaseEvent.Released released => _inJournal.Contains(released.Lease),
            _ => _inJournal.Count > 0,
        };
        if (!matters && !_journalIsBehind) return;
        Write(happened, static () => { });
    }

    /// <summary>Writes what happened, or, when the journal lacks more than that, all the leases that there are now.</summary>
    private void Write(IJournalEvent happened, Action then)
    {
        CrashPoint.Reached(CrashPoint.BeforeLease);
        if (_journalIsBehind) happened = InJournal(_state.Apply(happened));
        _journalIsBehind = false;
        NoteInJournal(happened);
        _writes++;
        PersistAsync(happened, _ =>
        {
            _writes--;
            CrashPoint.Reached(CrashPoint.AfterLease);
            _journaled = _journaled.Apply(happened);
            if (++_eventsSinceSnapshot >= EventsBetweenSnapshots) SumUp();
            then();
        });
    }

    /// <summary>
    /// A snapshot stands for the events up to the last one that was written, and has what these led to. The state of this moment may be ahead of them: replayed on top
    /// of it, the first of the events that follow would bring back leases that have ended.
    /// </summary>
    private void SumUp()
    {
        _eventsSinceSnapshot = 0;
        CrashPoint.Reached(CrashPoint.BeforeLeaseSnapshot);
        SaveSnapshot(InJournal(_journaled));
    }

    /// <summary>Events and snapshots that the newest snapshot stands for go.</summary>
    private void SummedUp(long until)
    {
        CrashPoint.Reached(CrashPoint.LeaseSnapshotSaved);
        DeleteMessages(until);
        DeleteSnapshots(new SnapshotSelectionCriteria(until - 1));
    }

    private static LeaseEvent.Snapshot InJournal(LayerState state) => new([.. state.Leases.Where(static lease => !lease.IsActors)]);

    private void NoteInJournal(IJournalEvent happened)
    {
        switch (happened)
        {
            case LeaseEvent.Granted granted:
                _inJournal.Add(granted.Lease);
                break;
            case LeaseEvent.Released released:
                _inJournal.Remove(released.Lease);
                break;
            case LeaseEvent.Cleared:
                _inJournal.Clear();
                break;
            case LeaseEvent.Snapshot snapshot:
                _inJournal.Clear();
                _inJournal.UnionWith(snapshot.Leases.Select(static lease => lease.Lease));
                break;
        }
    }
}
