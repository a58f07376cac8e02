using Akka.Persistence;
using StorageActors.Store;

namespace StorageActors.Catalog;

/// <summary>
/// Snapshots, so that a start reads one row instead of an event for each thing that ever happened. One is taken now and then, and when the store stops. A snapshot lies in the journal's own
/// database and has the number of the last event that it sums up; the events go when it is durable, and until then both say the same.
/// </summary>
internal sealed partial class CatalogActor
{
    /// <summary>
    /// A snapshot is as large as the store, so the more it holds the rarer it is taken: its cost for each event is that of so many records, some microseconds. To read as many events takes a
    /// start about as long as to read the snapshot.
    /// </summary>
    private const int RecordsToAnEvent = 8;

    private int _sinceSnapshot;
    private int _answersDue;       // of the journal, to snapshots and to what is deleted after them
    private Action? _whenSettled;

    private void Snapshots()
    {
        Command<SaveSnapshotSuccess>(saved =>
        {
            CrashPoint.Reached(CrashPoint.SnapshotSaved);
            _answersDue += 2;
            DeleteMessages(saved.Metadata.SequenceNr);
            DeleteSnapshots(new SnapshotSelectionCriteria(saved.Metadata.SequenceNr - 1));
            Settled();
        });
        Command<SaveSnapshotFailure>(failed =>
        {
            Log.Warning("the journal's snapshot was not saved: {0}", failed.Cause.Message);
            Settled();
        });
        Command<DeleteMessagesSuccess>(_ =>
        {
            CrashPoint.Reached(CrashPoint.EventsDeleted);
            Settled();
        });
        Command<DeleteMessagesFailure>(failed => NotDeleted(failed.Cause));
        Command<DeleteSnapshotsSuccess>(_ => Settled());
        Command<DeleteSnapshotsFailure>(failed => NotDeleted(failed.Cause));
    }

    /// <summary>Only where the journal has whole changes, as behind the last event of one: the snapshot has the number of the event that was journaled last.</summary>
    /// <param name="least">After so many events.</param>
    private void SnapshotIfDue(int least)
    {
        if (_sinceSnapshot < least) return;
        _sinceSnapshot = 0;
        CrashPoint.Reached(CrashPoint.BeforeSnapshot);
        _answersDue++;
        SaveSnapshot(_view.Current.ToSnapshot());
    }

    /// <summary>The store stops: what the journal has is summed up, unless that is little, and afterwards nothing is on its way to the disk.</summary>
    private void FlushAll(Action done)
    {
        SnapshotIfDue(_options.SnapshotEvery);
        _files.WhenIdle(() =>
        {
            if (_answersDue == 0) done();
            else _whenSettled += done;
        });
    }

    /// <summary>The next snapshot has it deleted; until then it is passed over.</summary>
    private void NotDeleted(Exception cause)
    {
        Log.Warning("what the journal's snapshot sums up was not deleted: {0}", cause.Message);
        Settled();
    }

    private void Settled()
    {
        if (--_answersDue > 0) return;
        (var done, _whenSettled) = (_whenSettled, null);
        done?.Invoke();
    }
}
