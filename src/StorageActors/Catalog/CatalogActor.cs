using Akka.Actor;
using Akka.Event;
using Akka.Persistence;
using StorageActors.Dispatching;
using StorageActors.DriverOperations;
using StorageActors.Journal;
using StorageActors.Protocol;
using StorageActors.Records;
using StorageActors.Store;
using static StorageActors.Catalog.CatalogInternal;

namespace StorageActors.Catalog;

/// <summary>
/// Owns ids, names, parents and images. It decides by pure rules on the state that all events so far add up to, journaled or on their way; it answers
/// when the journal has the event. Writes do not keep other commands waiting: the journal takes them in groups, in order.
/// </summary>
internal sealed partial class CatalogActor : ReceivePersistentActor
{
    private readonly CatalogOptions _options;
    private readonly CatalogView _view;
    private readonly RecordFiles _files;
    private readonly IActorRef _operations;
    private CatalogState _decided;   // with events that are on their way to the journal
    private Reservations _reservations = Reservations.None;

    public CatalogActor(CatalogOptions options, CatalogView view, IActorRef operations)
    {
        (_options, _view, _operations) = (options, view, operations);
        _decided = CatalogState.Empty.Over(options.Additional);
        (JournalPluginId, SnapshotPluginId) = (options.JournalPluginId, options.SnapshotPluginId);
        _files = new RecordFiles(operations, Self, view, IsTaken, Context.GetLogger());

        _isMarked = options.IsMarked;
        Recover<SnapshotOffer>(offer =>
        {
            var snapshot = (CatalogEvent.Snapshot)offer.Snapshot;
            _decided = _decided.Apply(snapshot);
            _isOutdated = options.Packs(snapshot.Layers.Count) && PackedSnapshot.IsOutdated(snapshot);
            if (snapshot.IsPacked) (_lastPacked, _isMarked) = (offer.Metadata.SequenceNr, true);
        });
        Recover<IJournalEvent>(happened =>
        {
            _decided = _decided.Apply(happened);
            _sinceSnapshot++;
        });
        Recover<RecoveryCompleted>(_ =>
        {
            _view.Publish(_decided);
            Context.Parent.Tell(new Recovered(_decided.LayerCount, _decided.ImageCount));
        });

        Snapshots();
        Command<DriverProtocol.IReply>(reply =>
        {
            if (!_files.Handle(reply)) Marked(reply);
        });
        Command<HolderGone>(gone => Free(gone.Holder));
        CommandAny(command => Dispatch(Sender, command));
    }

    public override string PersistenceId => "catalog";

    internal static Props Props(CatalogOptions options, CatalogView view, IActorRef operations) =>
        EngineProps.Of(() => new CatalogActor(options, view, operations));

    /// <summary>Afterwards Akka stops this actor; the store starts it again from what the journal has.</summary>
    protected override void OnPersistFailure(Exception cause, object @event, long sequenceNr) => Report(cause, StorageErrorCode.Io);

    /// <summary>An event that cannot be written would leave what was decided and what is journaled apart.</summary>
    protected override void OnPersistRejected(Exception cause, object @event, long sequenceNr)
    {
        Report(cause, StorageErrorCode.Io);
        Context.Stop(Self);
    }

    protected override void OnRecoveryFailure(Exception reason, object? message = null) => Report(reason, StorageErrorCode.Damaged);

    /// <summary>A record that is read when it is first asked for may turn out to be unreadable: the journal is damaged, as if the start had found it so.</summary>
    protected override bool AroundReceive(Receive receive, object message)
    {
        try
        {
            return base.AroundReceive(receive, message);
        }
        catch (StorageException e) when (JournalFailure.IsUnreadable(e))
        {
            Context.Parent.Tell(e.Error);
            Sender.Tell(new StoreProtocol.Refused(e.Error));
            throw;
        }
    }

    /// <summary>Whether a flow has taken the layer or the image, to remove it or to change it.</summary>
    private bool IsTaken(object subject) => subject is LayerId layer ? _reservations.IsTakenByOther(layer, "") : _reservations.IsTakenByOther((ImageId)subject, "");

    /// <param name="cause">Why.</param>
    /// <param name="otherwise">What it means when no database says so: an event that cannot be read is one that was not written so.</param>
    private void Report(Exception cause, StorageErrorCode otherwise)
    {
        if (cause is StorageException refusal && JournalFailure.IsUnreadable(refusal))
        {
            Context.Parent.Tell(refusal.Error); // An event that changes a record that is read for it: it says all itself.
            return;
        }

        Log.Error(cause, "the journal failed");
        Context.Parent.Tell(new StorageError(JournalFailure.CodeOf(cause, otherwise), "journal", $"the journal failed: {cause.Message}", _options.JournalPath));
    }

    /// <summary>Journals events, then lets readers see them, then replaces the files that have the records, then goes on.</summary>
    private void Append(IReadOnlyList<IJournalEvent> events, IReadOnlyCollection<object> files, Action then)
    {
        _decided = _decided.Apply(events);
        var state = _decided;
        var left = events.Count;
        if (left == 0)
        {
            DeferAsync(files, _ => _files.Write(files, then)); // Nothing to write, but what this rests on may still be on its way.
            return;
        }

        CrashPoint.Reached(CrashPoint.BeforeJournal);
        PersistAllAsync(events, _ =>
        {
            if (--left > 0) return;
            CrashPoint.Reached(CrashPoint.AfterJournal);
            _view.Publish(state, events);
            SettleAwaited();
            _files.Write(files, then);
            _sinceSnapshot += events.Count;
            SnapshotIfDue(Math.Max(_options.SnapshotEvery, (state.LayerCount + state.ImageCount) / RecordsToAnEvent));
        });
    }
}

/// <summary>What the catalog needs of the settings.</summary>
/// <param name="JournalPluginId">Its journal.</param>
/// <param name="SnapshotPluginId">Its snapshot store.</param>
/// <param name="JournalPath">The journal's file, for errors.</param>
/// <param name="SnapshotEvery">Events between two snapshots, at least.</param>
/// <param name="Additional">What additional stores have; null without any.</param>
/// <param name="IsMarked">Whether the store says, or may say, that its journal's snapshot is packed.</param>
/// <param name="PackFrom">So many layers have the snapshot packed.</param>
internal sealed record CatalogOptions(
    string JournalPluginId, string SnapshotPluginId, string JournalPath, int SnapshotEvery, CatalogState? Additional = null, bool IsMarked = false, long PackFrom = PackedSnapshot.Least)
{
    /// <summary>Whether the snapshot of a store of so many layers is packed.</summary>
    internal bool Packs(int layers) => layers >= PackFrom;
}
