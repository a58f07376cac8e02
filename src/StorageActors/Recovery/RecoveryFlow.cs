using Akka.Actor;
using Akka.Event;
using StorageActors.Catalog;
using StorageActors.Dispatching;
using StorageActors.Flows;
using StorageActors.Layers;
using StorageActors.Protocol;
using StorageActors.Store;

namespace StorageActors.Recovery;

/// <summary>
/// Brings the store into agreement with itself before it serves: journal and directories, what the driver keeps beside them, mounts and leases. It looks at
/// names first, and reads only what does not fit, so a start after a clean stop costs the lists of three directories, or of a large store a look at two of them, and one of the mounts. After a crash it also reads every record:
/// one that was about to be replaced is replaced now. Answers <see cref="Recovered"/> or <see cref="StoreProtocol.Refused"/> to the supervisor.
/// </summary>
internal sealed class RecoveryFlow : FlowActor
{
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly HashSet<LayerId> _waking = [];
    private readonly bool _isThorough;
    private int _refused;

    /// <summary>Whether the mark of a death may go. With a journal elsewhere, which does not say of its last user how he ended, it stays until this one has stopped.</summary>
    private bool _isSettled;

    public RecoveryFlow(FlowContext store, IActorRef requester, bool isThorough)
        : base(store, requester, "recover")
    {
        _isThorough = isThorough;
        _isSettled = isThorough && store.Settings.HasOwnJournal;
        Receive<LayerInternal.Awake>(awake => Woken(awake.Layer));
        Receive<StoreProtocol.Refused>(CannotWake, _ => _waking.Count > 0);
    }

    /// <param name="store">The store.</param>
    /// <param name="requester">The supervisor.</param>
    /// <param name="isThorough">Whether records may differ from the journal: the last engine did not come to its end.</param>
    internal static Props Props(FlowContext store, IActorRef requester, bool isThorough) =>
        EngineProps.Of(() => new RecoveryFlow(store, requester, isThorough));

    protected override void Start()
    {
        if (_isThorough)
        {
            Perform(new BeginSettling(), _ => Perform(new ListStore(), Plan));
            return;
        }

        if (!LookAtNames.IsWorthwhile(Store.View.Current, Store.Settings))
        {
            Compare();
            return;
        }

        // The usual start of a large store: not even a name is needed.
        Perform(LookAtNames.With(Store.View.Current), isKnown =>
        {
            if (isKnown) Agreed(LookAtNames.LayersOf(Store.View.Current));
            else Compare();
        });
    }

    private void Compare()
    {
        Perform(CompareStore.With(Store.View.Current), compared =>
        {
            if (!compared.Agrees)
            {
                Perform(new ListStore(), Plan);
                return;
            }

            // The usual start: neither a plan nor a record of any layer is needed.
            Agreed([.. compared.Layers.Select(LayerId.Parse)]);
        });
    }

    private void Agreed(IReadOnlyList<LayerId> layers)
    {
        CrashPoint.Reached(CrashPoint.RecoveryListed);
        RecoverLayers(layers);
    }

    protected override void Refuse(StorageError error) => Answer(new StoreProtocol.Refused(error));

    private void Plan(StoreListing listing) => Perform(
        RecoveryPlan.Questions(Store.View.Current, listing, _isThorough), found => Reconcile(RecoveryPlan.Make(Store.View.Current, listing, found)));

    private void Reconcile(RecoveryPlan plan)
    {
        CrashPoint.Reached(CrashPoint.RecoveryListed);
        foreach (var note in plan.Notes) _log.Warning("recovery: {0}", note);
        if (plan.IsNeeded) Ask<CatalogInternal.Reconciled>(Store.Catalog, plan.Reconcile, _ => SettleRecords());
        else SettleRecords();
    }

    private void SettleRecords()
    {
        if (!_isThorough) RecoverLayers();
        else Perform(new SettleRecords(Store.View.Layers(), Store.View.Current.ListImages()), settled =>
        {
            _isSettled &= settled.IsWhole;
            foreach (var line in settled.Done) _log.Info("recovery: {0}", line);
            RecoverLayers();
        });
    }

    private void RecoverLayers() => RecoverLayers(LookAtNames.LayersOf(Store.View.Current));

    /// <param name="layers">The layers that have a directory.</param>
    private void RecoverLayers(IReadOnlyList<LayerId> layers)
    {
        CrashPoint.Reached(CrashPoint.RecoveryReconciled);
        Perform(new RecoverDriver(layers, _isThorough), lines =>
        {
            foreach (var line in lines) _log.Info("recovery: {0}", line);
            CrashPoint.Reached(CrashPoint.RecoverySettled);
            if (_isSettled) Perform(new EndSettling(), _ => Perform(new FindMounted(layers), Wake));
            else Perform(new FindMounted(layers), Wake);
        });
    }

    /// <summary>Each layer that is mounted decides for itself: it takes the mount over for who holds it, or unmounts it.</summary>
    private void Wake(IReadOnlyList<LayerId> mounted)
    {
        foreach (var layer in mounted.Select(Store.View.Current.FindLayer).OfType<LayerRecord>())
        {
            _waking.Add(layer.Id);
            TellLayer(layer, new LayerInternal.Wake());
        }

        if (_waking.Count == 0) Answer(new Recovered());
    }

    private void Woken(LayerId layer)
    {
        if (_waking.Remove(layer)) AnswerWhenSettled();
    }

    /// <summary>The leases of one layer cannot be read: its mount stays as it is, whoever asks for it next has it try again, and the others are served.</summary>
    private void CannotWake(StoreProtocol.Refused refusal)
    {
        _log.Warning("recovery: {0}", refusal.Error);
        _refused++;
        AnswerWhenSettled();
    }

    private void AnswerWhenSettled()
    {
        if (_waking.Count == _refused) Answer(new Recovered());
    }

    /// <summary>The store agrees with itself.</summary>
    internal sealed record Recovered;
}
