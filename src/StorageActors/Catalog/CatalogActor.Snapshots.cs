using Akka.Persistence;
using StorageActors.DriverOperations;
using StorageActors.Journal;
using StorageActors.Protocol;
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
    /// start that follows a crash some milliseconds.
    /// </summary>
    private const int RecordsToAnEvent = 8;

    private int _sinceSnapshot;
    private bool _isOutdated;      // the journal's snapshot: it is read more slowly than it could be
    private long? _marking;        // the attempt to have the store say that its snapshot is packed, or that it is not
    private bool _isUnmarking;     // the latter
    private bool _isMarked;        // it says that it is
    private long _lastPacked;      // the number of the last one that was
    private bool _isUnpacked;      // none is there any more
    private int _answersDue;       // to that, and of the journal, to snapshots and to what is deleted after them
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
        Command<DeleteSnapshotsSuccess>(deleted =>
        {
            if (deleted.Criteria.MaxSequenceNr >= _lastPacked) _isUnpacked = true;
            Settled();
        });
        Command<DeleteSnapshotsFailure>(failed => NotDeleted(failed.Cause));
    }

    /// <summary>Only where the journal has whole changes, as behind the last event of one: the snapshot has the number of the event that was journaled last.</summary>
    /// <param name="least">After so many events.</param>
    private void SnapshotIfDue(int least)
    {
        if (_sinceSnapshot < least || _marking is not null) return;
        (_sinceSnapshot, _isOutdated) = (0, false);
        if (!_options.Packs(_view.Current.LayerCount))
        {
            TakeSnapshot();
            return;
        }

        // The store says so before there is one: a version that cannot read it is to refuse the store, not to fail at it.
        Mark(new UseFeature(StoreFormat.PackedSnapshot), isPacked: true);
    }

    /// <summary>Until the answer comes no snapshot is taken.</summary>
    private void Mark(DriverOperation<Nothing> operation, bool isPacked)
    {
        _answersDue++;
        (_marking, _isUnmarking, _isUnpacked) = (DriverProtocol.NextAttempt(), !isPacked, false);
        _operations.Tell(new DriverProtocol.Perform(_marking.Value, operation), Self);
    }

    private void Marked(DriverProtocol.IReply reply)
    {
        if (reply.Attempt != _marking) return;
        _marking = null;
        if (reply is DriverProtocol.Failed failed)
        {
            if (_isUnmarking) Log.Warning("the store still says that its journal's snapshot is packed, which it is not: {0}", failed.Error);
            else Log.Warning("the journal's snapshot was not taken, since the store cannot be marked: {0}", failed.Error);
            Settled();
            return;
        }

        _isMarked = !_isUnmarking;
        if (_isUnmarking)
        {
            Settled();
            return;
        }

        // Behind what is on its way to the journal, so that it has whole changes.
        DeferAsync(reply, _ =>
        {
            TakeSnapshot();
            Settled();
        });
    }

    private void TakeSnapshot()
    {
        CrashPoint.Reached(CrashPoint.BeforeSnapshot);
        _answersDue++;
        var isPacked = _options.Packs(_view.Current.LayerCount);
        if (isPacked) (_lastPacked, _isUnpacked) = (SnapshotSequenceNr, false);
        else if (_lastPacked == SnapshotSequenceNr) _lastPacked--; // This one has its number, and takes its place.
        SaveSnapshot(_view.Current.ToSnapshot() with { IsPacked = isPacked });
    }

    /// <summary>The store stops: what the journal has is summed up, unless that is little and its snapshot is as it should be, and afterwards nothing is on its way to the disk.</summary>
    private void FlushAll(Action done)
    {
        var isAsItShouldBe = !_isOutdated && (!_isMarked || _options.Packs(_view.Current.LayerCount));
        SnapshotIfDue(isAsItShouldBe ? _options.SnapshotEvery : 0);
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
        if (_isMarked && _isUnpacked && _marking is null)
        {
            // The store has become small: versions from before can read it again.
            Mark(new DropFeature(StoreFormat.PackedSnapshot), isPacked: false);
            return;
        }

        (var done, _whenSettled) = (_whenSettled, null);
        done?.Invoke();
    }
}
