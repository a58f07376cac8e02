using Akka.Actor;
using StorageActors.Journal;
using StorageActors.Protocol;
using static StorageActors.Catalog.CatalogInternal;

namespace StorageActors.Catalog;

/// <summary>What each command leads to.</summary>
internal sealed partial class CatalogActor
{
    private readonly List<(IActorRef From, object Command)> _waiting = [];
    private readonly Dictionary<LayerId, List<IActorRef>> _awaited = [];
    private readonly HashSet<IActorRef> _watched = [];

    private static string HolderOf(IActorRef flow) => flow.Path.ToStringWithUid();

    private void Dispatch(IActorRef from, object command)
    {
        switch (command)
        {
            case ReserveChain reserve: Handle(from, reserve); break;
            case ClaimChain claim: Handle(from, claim); break;
            case AwaitLayer layer: Handle(from, layer); break;
            case CommitLayers commit: Handle(from, commit); break;
            case PinLayers pin: Handle(from, pin); break;
            case TakeForRemoval take: Handle(from, take); break;
            case TakeForSealing take: Handle(from, take); break;
            case TakeForFilling take: Handle(from, take); break;
            case TakeForFreezing take: Handle(from, take); break;
            case CommitFreeze commit: Handle(from, commit); break;
            case CommitRemoval commit: Handle(from, commit); break;
            case TakeForDocuments take: Handle(from, take); break;
            case CommitDocuments commit: Handle(from, commit); break;
            case CommitSeal commit: Handle(from, commit); break;
            case TakeImage take: Handle(from, take); break;
            case CommitImage commit: Handle(from, commit); break;
            case CommitImageRemoval commit: Handle(from, commit); break;
            case MarkDamage mark: Handle(from, mark); break;
            case Reconcile reconcile: Handle(from, reconcile); break;
            case CatalogProtocol.ChangeNames change: Handle(from, change); break;
            case CatalogProtocol.ChangeLabels change: Handle(from, change); break;
            case Audit audit: Handle(from, audit); break;
            case AwaitFile file: _files.WhenWritten(file.Layer ?? (object)file.Image!.Value, () => from.Tell(new FileWritten())); break;
            case Flush flush: DeferAsync(from, requester => FlushAll(() => requester.Tell(new Flushed(flush.Number)))); break;
            case CatalogInternal.Free: Handle(from); break;
            default: Unhandled(command); break;
        }
    }

    private void Handle(IActorRef from, ReserveChain command)
    {
        if (command.Parent is { } parent && MustWait(from, command, parent)) return;
        if (ChainRules.Reserve(_decided, _reservations, HolderOf(from), command, LayerId.New).IsRefused(out var refusal, out var reserved))
        {
            Refuse(from, refusal);
            return;
        }

        if (MustWait(from, command, [.. reserved.Answer.Layers.Where(static layer => layer.Plan == Plan.Take).Select(static layer => layer.Id)])) return;
        Hold(from, reserved.Reservations);
        from.Tell(reserved.Answer);
    }

    private void Handle(IActorRef from, ClaimChain command)
    {
        if (ChainRules.Claim(_decided, _reservations, HolderOf(from), command).IsRefused(out var refusal, out var claimed))
        {
            Refuse(from, refusal);
            return;
        }

        if (claimed.Plan.Plan == Plan.Take && MustWait(from, command, claimed.Plan.Id)) return;
        Hold(from, claimed.Reservations);
        from.Tell(new ChainClaimed(command.Layer, claimed.Plan));
        SettleAwaited();
    }

    private void Handle(IActorRef from, AwaitLayer command)
    {
        if (_awaited.TryGetValue(command.Layer, out var others)) others.Add(from);
        else _awaited.Add(command.Layer, [from]);
        Watch(from);
        SettleAwaited();
    }

    private void Handle(IActorRef from, CommitLayers command)
    {
        var holder = HolderOf(from);
        var events = new List<IJournalEvent>(command.Layers.Select(static layer => new CatalogEvent.LayerCommitted(layer)));
        foreach (var layer in command.Layers) _reservations = _reservations.Made(layer.Id).Pin(holder, layer.Id);
        var state = _decided.Apply(events);
        foreach (var given in command.Given)
        {
            List<IJournalEvent> changes = [.. LayerRules.GiveNames(state, given.Layer, given.Names), .. LabelRules.Give(state, given.Layer, given.Labels)];
            state = state.Apply(changes);
            events.AddRange(changes);
        }

        Append(events, FilesOf(events), () => from.Tell(new LayersCommitted()));
    }

    private void Handle(IActorRef from, PinLayers command)
    {
        if (MustWait(from, command, [.. command.Layers])) return;
        Hold(from, LayerRules.Pin(_decided, _reservations, HolderOf(from), command.Operation, command.Layers), static held => new LayersPinned(held.Layers));
    }

    private void Handle(IActorRef from, TakeForRemoval command)
    {
        if (MustWait(from, command, command.Layer)) return;
        Hold(from, LayerRules.TakeForRemoval(_decided, _reservations, HolderOf(from), command), static held => new LayerTaken(held.Layers[0]));
    }

    private void Handle(IActorRef from, TakeForSealing command)
    {
        if (MustWait(from, command, command.Layer)) return;
        var decision = LayerRules.TakeForSealing(_decided, _reservations, HolderOf(from), command);
        Hold(from, decision, static held => new LayerTaken(held.Layers[0]));
    }

    private void Handle(IActorRef from, TakeForFilling command)
    {
        if (MustWait(from, command, command.Layer)) return;
        Hold(from, FillRules.TakeForFilling(_decided, _reservations, HolderOf(from), command.Layer), static held => new LayerTaken(held.Layers[0]));
    }

    private void Handle(IActorRef from, TakeForFreezing command)
    {
        if (MustWait(from, command, command.Parent is { } parent ? [command.Layer, parent] : [command.Layer])) return;
        Hold(from, FillRules.TakeForFreezing(_decided, _reservations, HolderOf(from), command), static held => new LayerTaken(held.Layers[0]));
    }

    private void Handle(IActorRef from, CommitFreeze command) =>
        Append([new CatalogEvent.LayerSealed(command.Layer)], [command.Layer.Id], () => from.Tell(new SealCommitted(command.Layer)));

    private void Handle(IActorRef from, TakeForDocuments command)
    {
        if (MustWait(from, command, command.Layer)) return;
        Hold(from, DocumentRules.Take(_decided, _reservations, HolderOf(from), command), static held => new LayerTaken(held.Layers[0]));
    }

    private void Handle(IActorRef from, CommitDocuments command) =>
        Append([new CatalogEvent.LayerDocumented(command.Layer, command.Documents)], [command.Layer], () => from.Tell(new DocumentsCommitted(_view.Current.FindLayer(command.Layer)!)));

    private void Handle(IActorRef from, CommitRemoval command)
    {
        Append([new CatalogEvent.LayerRemoved(command.Layer)], [], () =>
        {
            _reservations = _reservations.GiveBack(command.Layer);
            from.Tell(new RemovalCommitted(command.Layer));
            Retry();
        });
    }

    private void Handle(IActorRef from, CommitSeal command)
    {
        var now = _decided.FindOwn(command.Layer.Id) ?? command.Layer;
        var layer = command.Layer with
        {
            Names = NameRules.Sorted(now.Names.Concat(command.AddNames)), Labels = LabelRules.Merge(now.Labels, command.AddLabels), Damage = now.Damage,
            BigData = now.BigData,
        };
        Append([new CatalogEvent.LayerSealed(layer)], [layer.Id], () => from.Tell(new SealCommitted(layer)));
    }

    private void Handle(IActorRef from, TakeImage command)
    {
        if (_reservations.IsTakenByOther(command.Image, HolderOf(from)))
        {
            Wait(from, command);
            return;
        }

        Hold(from, _reservations.Take(HolderOf(from), command.Image));
        from.Tell(new ImageTaken(command.Image, _decided.FindImage(command.Image)));
    }

    private void Handle(IActorRef from, CommitImage command)
    {
        var put = command.KeepNames && _decided.FindOwn(command.Image.Id) is { } now
            ? command.Image with { Names = now.Names, NamesHistory = now.NamesHistory } : command.Image;
        var events = ImageRules.Put(_decided, put);
        var image = ((CatalogEvent.ImagePut)events[^1]).Image;
        var stale = FilesOf(events).ToList();
        if (!image.Names.SequenceEqual(command.Image.Names, StringComparer.Ordinal)) stale.Add(image.Id);
        Append(events, stale, () => from.Tell(new ImageCommitted(image)));
    }

    private void Handle(IActorRef from, CommitImageRemoval command) =>
        Append([new CatalogEvent.ImageRemoved(command.Image)], [], () => from.Tell(new ImageRemovalCommitted(command.Image)));

    private void Handle(IActorRef from, MarkDamage command)
    {
        IJournalEvent marked = command.Reason is null ? new CatalogEvent.LayerHealed(command.Layer) : new CatalogEvent.LayerDamaged(command.Layer, command.Reason);
        Append(_decided.FindOwn(command.Layer)?.Damage == command.Reason ? [] : [marked], [], () => from.Tell(new DamageMarked(command.Layer)));
    }

    private void Handle(IActorRef from, Reconcile command) => Append(ReconcileRules.Events(_decided, command), [], () => from.Tell(new Reconciled()));

    private void Handle(IActorRef from, Audit command) => from.Tell(new Audited(
        [.. command.UnknownLayers.Where(layer => _decided.FindOwn(layer) is null && _reservations.MakerOf(layer) is null)],
        [.. command.UnknownImages.Where(image => _decided.FindOwn(image) is null && !_reservations.IsTakenByOther(image, HolderOf(from)))],
        [.. command.MissingLayers.Where(layer => _view.Current.FindOwn(layer) is not null && !_reservations.IsTakenByOther(layer, HolderOf(from)))]));

    private void Handle(IActorRef from, CatalogProtocol.ChangeNames command)
    {
        if (command.Layer is { } layer && command.Image is null)
        {
            if (MustWait(from, command, layer)) return;
            Change(from, LayerRules.ChangeNames(_decided, _reservations, layer, command), () => new CatalogProtocol.Resolved(_view.Current.FindLayer(layer), null));
        }
        else if (command.Image is { } image && command.Layer is null)
        {
            if (_reservations.IsTakenByOther(image, HolderOf(from))) Wait(from, command);
            else Change(from, ImageRules.ChangeNames(_decided, image, command), () => new CatalogProtocol.Resolved(null, _view.Current.FindImage(image)));
        }
        else
        {
            Refuse(from, Refusals.Invalid("name", "either a layer or an image has to be given", StorageErrorReason.Incomplete));
        }
    }

    private void Handle(IActorRef from, CatalogProtocol.ChangeLabels command)
    {
        if (command.Layer is { } layer && command.Image is null)
        {
            if (MustWait(from, command, layer)) return;
            Change(from, LabelRules.Change(_decided, layer, command.Labels), () => new CatalogProtocol.Resolved(_view.Current.FindLayer(layer), null));
        }
        else if (command.Image is { } image && command.Layer is null)
        {
            if (_reservations.IsTakenByOther(image, HolderOf(from))) Wait(from, command);
            else Change(from, LabelRules.Change(_decided, image, command.Labels), () => new CatalogProtocol.Resolved(null, _view.Current.FindImage(image)));
        }
        else
        {
            Refuse(from, Refusals.Invalid("label", "either a layer or an image has to be given"));
        }
    }

    private void Handle(IActorRef from)
    {
        Free(from);
        from.Tell(new Freed());
    }

    private void Change(IActorRef from, Decision<LayerRules.Changed> decision, Func<object> answer)
    {
        if (decision.IsRefused(out var refusal, out var changed)) Refuse(from, refusal);
        else Append(changed.Events, FilesOf(changed.Events), () => from.Tell(answer()));
    }

    /// <summary>Whose file is to be replaced after these events; those of new layers and images were written before.</summary>
    private static object[] FilesOf(IEnumerable<IJournalEvent> events) =>
    [
        .. events.Select(static happened => happened switch
        {
            CatalogEvent.LayerNamed named => named.Layer,
            CatalogEvent.LayerLabelled labelled => labelled.Layer,
            CatalogEvent.ImageNamed named => (object)named.Image,
            CatalogEvent.ImageLabelled labelled => labelled.Image,
            _ => null,
        }).OfType<object>().Distinct(),
    ];

    private static void Refuse(IActorRef from, StorageError error) => from.Tell(new StoreProtocol.Refused(error));
}
