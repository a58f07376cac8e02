using Akka.Actor;
using StorageActors.Catalog;
using StorageActors.DriverOperations;
using StorageActors.Flows;
using StorageActors.Layers;
using StorageActors.Protocol;
using StorageActors.Trash;

namespace StorageActors.Recovery;

/// <summary>
/// <see cref="StoreProtocol.Check"/>, while the store serves: what it finds it asks the owner about once more, so that work in progress is not taken for damage.
/// It goes through its steps one by one; a step notes findings and, if asked to, puts right what can be. What could not be looked at is no damage.
/// </summary>
internal sealed partial class CheckFlow : FlowActor
{
    /// <summary>What was made today may be about to get its image.</summary>
    private static readonly TimeSpan Unneeded = TimeSpan.FromHours(24);

    private readonly StoreProtocol.Check _command;
    private readonly List<Finding> _findings = [];
    private readonly Queue<Action> _steps = new();
    private CatalogState _before = CatalogState.Empty;
    private readonly FlowProgress _progress;
    private LayerRecord? _drained;
    private StorageError? _stopped;

    public CheckFlow(FlowContext store, IActorRef requester, StoreProtocol.Check command)
        : base(store, requester, "check") => (_command, _progress) = (command, new FlowProgress(store, command.Ticket, StagingPhase.Verifying));

    private bool Repairs => _command is { Repair: true, DryRun: false };

    protected override void Start()
    {
        if (_command.UnneededAfter < TimeSpan.Zero)
        {
            Refuse(Refusals.Invalid(Operation, "an age is not negative"));
            return;
        }

        _before = Store.View.Current;
        Perform(new ListStore(), listing => Perform(new ReadRecords(listing.Layers, listing.Images, Trash: false), found => Audit(listing, found)));
    }

    protected override void OnStop(StorageError why)
    {
        _stopped = why;
        _steps.Clear();
        CancelOperations();
    }

    protected override void Refuse(StorageError error)
    {
        _progress.End(StagingPhase.Failed);
        base.Refuse(error);
    }

    protected override void PostStop()
    {
        Undrain();
        base.PostStop();
    }

    private void Undrain()
    {
        if (_drained is not null) TellLayer(_drained, new LayerInternal.Undrain());
        _drained = null;
    }

    private void Audit(StoreListing listing, StoreRecords found)
    {
        var unknown = listing.Layers.Where(id => _before.FindOwn(id) is null).ToList();
        var strange = listing.Images.Where(id => _before.FindOwn(id) is null).ToList();
        var missing = _before.ListLayers().Select(static layer => layer.Id).Except(listing.Layers).ToList();
        Ask<CatalogInternal.Audited>(Store.Catalog, new CatalogInternal.Audit(unknown, strange, missing), audited =>
        {
            foreach (var layer in found.Layers.Where(layer => audited.UnknownLayers.Contains(layer.Id))) _steps.Enqueue(() => SuspectLayer(layer.Id));
            foreach (var image in found.Images.Where(image => audited.UnknownImages.Contains(image.Id))) _steps.Enqueue(() => SuspectImage(image.Id));
            foreach (var layer in audited.MissingLayers) _steps.Enqueue(() => MissingLayer(layer));
            foreach (var layer in found.Layers) _steps.Enqueue(() => LayerRecordFile(layer));
            foreach (var image in found.Images) _steps.Enqueue(() => ImageRecordFile(image));
            foreach (var image in _before.ListImages().Where(image => !listing.Images.Contains(image.Id))) _steps.Enqueue(() => MissingImage(image));
            foreach (var path in listing.Foreign) _steps.Enqueue(() => Orphan(path, "no layer and no image is called so"));
            _steps.Enqueue(() => StaleStagings());
            _steps.Enqueue(Mounts);
            var sound = _before.ListLayers().Where(layer => layer is { Kind: LayerKind.Sealed, DiffId: not null } && !audited.MissingLayers.Contains(layer.Id)).ToList();
            _progress.Total = sound.Sum(static layer => layer.Size ?? 0);
            foreach (var layer in sound) _steps.Enqueue(() => Content(layer));
            foreach (var layer in _before.ListLayers().Where(layer => layer is { Kind: LayerKind.Sealed, DiffId: null } && !audited.MissingLayers.Contains(layer.Id)))
                _steps.Enqueue(() => Unread(layer));
            if (_command.Full) _steps.Enqueue(() => TryMounts(audited.MissingLayers));
            foreach (var layer in _command.Full ? _before.LayersWhere(layer => layer.BigData is not null && !audited.MissingLayers.Contains(layer.Id)) : []) Documents(layer);
            foreach (var image in _command.Full ? _before.ListImages() : []) Documents(image);
            _steps.Enqueue(NoteUnneeded);

            Next();
        });
    }

    private void Next()
    {
        Undrain();
        if (_stopped is not null)
        {
            Refuse(_stopped);
        }
        else if (_steps.TryDequeue(out var step))
        {
            step();
        }
        else
        {
            _progress.End(StagingPhase.Done);
            Finish(new StoreProtocol.Checked(_findings));
        }
    }

    /// <summary>Notes something, and has it repaired if that is possible and asked for.</summary>
    /// <param name="kind">A fixed word.</param>
    /// <param name="subject">What it is about.</param>
    /// <param name="message">What is wrong.</param>
    /// <param name="repair">What a repair makes of it, as in "moved to the trash".</param>
    /// <param name="repairing">Does so.</param>
    /// <param name="isCure">Whether all is well then; to mark a layer keeps others from its content, and the damage stands.</param>
    private void Found(string kind, string subject, string message, string? repair = null, Action<Action<bool>>? repairing = null, bool isCure = true)
    {
        if (!Repairs || repairing is null)
        {
            _findings.Add(new Finding(kind, subject, repair is null ? message : $"{message}; a repair has it {repair}", Repaired: false));
            Next();
            return;
        }

        repairing(isDone =>
        {
            _findings.Add(new Finding(kind, subject, isDone ? $"{message}; {repair}" : $"{message}; it could not be {repair}", isDone && isCure));
            Next();
        });
    }

    /// <summary>Notes what is no damage.</summary>
    private void Noted(string kind, LayerId layer, string message)
    {
        _findings.Add(new Finding(kind, layer.Value, message, Repaired: false, Note: true));
        Next();
    }

    /// <summary>Notes damage of a layer, which only new content cures: a repair has it marked, if it is not marked yet. That its directory was missing is no such mark once there is more to say: a start takes it off when the directory is back.</summary>
    private void FoundDamaged(LayerId layer, string kind, string message, string damage)
    {
        if (Store.View.Current.FindOwn(layer)?.Damage is { } known && (known != RecoveryPlan.MissingDirectory || known == damage)) Found(kind, layer.Value, $"{message}; it is marked as damaged");
        else Found(kind, layer.Value, message, "marked as damaged", done => Mark(layer, damage, done), isCure: false);
    }

    private void Try<T>(DriverOperation<T> operation, Action<T> then, Action<bool> done) => Perform(operation, then, _ => done(false));
}
