using Akka.Actor;
using StorageActors.Catalog;
using StorageActors.Dispatching;
using StorageActors.Drivers;
using StorageActors.Protocol;
using StorageActors.Staging;

namespace StorageActors.Flows;

/// <summary>
/// Makes a chain of layers: <see cref="StoreProtocol.Apply"/>, and <see cref="StoreProtocol.Create"/> as a chain of one empty layer.
/// <para>
/// First all is reserved. What is there is taken, what others make is awaited, the rest is staged: all at once where the driver can settle afterwards what needs
/// the layers below, else one after the other. A cursor then goes up the chain: it settles each layer on those below and completes its directory. At the
/// end one sync makes the whole chain durable, the directories are renamed in order, and the journal gets them in one write.
/// </para>
/// <para>
/// Two flows never wait for each other: who waits for another's layer has committed all that he has below it, and others may be waiting for.
/// </para>
/// </summary>
internal sealed partial class ChainFlow : FlowActor
{
    private readonly ChainOrder _order;
    private readonly List<ChainLink> _links = [];
    private LayerRecord? _parent;
    private int _cursor;
    private bool _isBusy;        // a step of the cursor is under way
    private bool _isCommitting;  // between the first rename and the journal nothing stops it
    private (StorageError Error, ChainLink? Link)? _failure;  // what came meanwhile
    private bool _isEnding;

    public ChainFlow(FlowContext store, IActorRef requester, ChainOrder order)
        : base(store, requester, order.Operation)
    {
        _order = order;
        Receive<CatalogInternal.LayerSettled>(Settled, _ => !_isEnding);
        Receive<StagingProtocol.Staged>(Staged, _ => !_isEnding);
        Receive<StagingProtocol.IForTicket>(answer => _onStaging?.Invoke(answer), answer => answer.Ticket == _asked);
        Receive<StagingProtocol.Failed>(failed => Fail(failed.Error, LinkOf(failed.Ticket)), failed => !_isEnding && LinkOf(failed.Ticket) is { HasStaging: true });
        Receive<StagingProtocol.Ended>(ended => Ended(LinkOf(ended.Ticket)));
        Receive<StagingProtocol.IForTicket>(static _ => { }); // Late news of what is being ended.
    }

    internal static Props Props(FlowContext store, IActorRef requester, ChainOrder order) =>
        EngineProps.Of(() => new ChainFlow(store, requester, order));

    protected override void Start()
    {
        if (_order.Owner is { } owner) Context.WatchWith(owner, new StopFlow(StorageErrorCode.Cancelled, "its owner died"));
        foreach (var part in _order.Parts)
        {
            if ((NameRules.CheckLabels(Operation, part.Spec.Labels) ?? DocumentRules.CheckNew(Operation, part.Documents, _order.Reuse)) is not { } wrong) continue;
            Refuse(wrong);
            return;
        }

        if (DocumentRules.CheckTotal(Operation, _order.Parts.SelectMany(static part => part.Documents)) is { } tooMuch)
        {
            Refuse(tooMuch);
            return;
        }

        if (_order.Parts.Select(static part => part.Ticket).Distinct().Count() < _order.Parts.Count)
        {
            Refuse(Refusals.Invalid(Operation, "two layers of the chain have the same ticket; give each its own"));
            return;
        }

        var layers = _order.Parts.Select(part => new CatalogInternal.NewLayer(part.Spec.Id, part.Names, part.Expect.DiffId, part.Labels.Count > 0)).ToList();
        Ask<CatalogInternal.ChainReserved>(Store.Catalog, new CatalogInternal.ReserveChain(Operation, _order.Parent, layers, _order.Reuse), Reserved);
    }

    protected override void OnStop(StorageError why) => Fail(why, null);

    protected override void PostStop()
    {
        ReleaseUploads(_order.Parts.Select(static part => part.Source)); // Also of what was refused before it began.
        base.PostStop();
    }

    private void Reserved(CatalogInternal.ChainReserved reserved)
    {
        _parent = reserved.Parent;
        for (var index = 0; index < _order.Parts.Count; index++)
        {
            var plan = reserved.Layers[index];
            var isOurs = plan.Plan == CatalogInternal.Plan.Make;
            var link = new ChainLink(index, _order.Parts[index], isOurs ? plan.Id : _order.Parts[index].Spec.Id ?? LayerId.New()) { Id = plan.Id };
            _links.Add(link);
            if (plan.Known is { } known) link.Take(known);
            else if (!isOurs) Await(link, plan.Id);
            else if (ChainOf(link) is not null) link.ClaimedOn = new Claim(BelowId(link));
        }

        if (Store.Capabilities.HasFlag(DriverCapabilities.Rebase)) Stage([.. _links.Where(static link => link.State == LinkState.Planned)]);
        Advance();
    }

    /// <summary>Goes up the chain for as long as there is nothing to wait for.</summary>
    private void Advance()
    {
        while (!_isBusy && !_isEnding && _cursor < _links.Count)
        {
            var link = _links[_cursor];
            switch (link.State)
            {
                case LinkState.Done or LinkState.Ready:
                    _cursor++;
                    break;
                case LinkState.Awaited when Ready().Count > 0:
                    CommitReady(Advance);
                    return;
                case LinkState.Planned or LinkState.Staged when _order.Reuse && !link.IsClaimedOn(BelowId(link)) && ChainOf(link) is { } chain:
                    Claim(link, chain);
                    return;
                case LinkState.Planned:
                    Stage([link]);
                    return;
                case LinkState.Staged:
                    Settle(link);
                    return;
                default:
                    return; // What it waits for comes here again.
            }
        }

        if (!_isBusy && !_isEnding) CommitReady(Conclude);
    }

    /// <summary>Asks whether the content, now that it is known, is there or on its way.</summary>
    private void Claim(ChainLink link, Digest chain)
    {
        _isBusy = true;
        var below = BelowId(link);
        Ask<CatalogInternal.ChainClaimed>(
            Store.Catalog,
            new CatalogInternal.ClaimChain(Operation, link.OwnId, below, chain, link.Part.Labels.Count > 0),
            claimed =>
            {
                _isBusy = false;
                if (claimed.Plan.Known is { } known) Take(link, known);
                else if (claimed.Plan.Plan == CatalogInternal.Plan.Await) Await(link, claimed.Plan.Id);
                else link.ClaimedOn = new Claim(below);
                Advance();
            },
            error => Fail(error, link));
    }

    private void Await(ChainLink link, LayerId layer)
    {
        (link.Id, link.State) = (layer, LinkState.Awaited);
        Store.Catalog.Tell(new CatalogInternal.AwaitLayer(layer));
    }

    private void Settled(CatalogInternal.LayerSettled settled)
    {
        if (_links.FirstOrDefault(link => link.State == LinkState.Awaited && link.Id == settled.Layer) is not { } link) return;
        if (settled.Record is { } record)
        {
            Take(link, record);
        }
        else
        {
            // Who was making it has given up: now it is ours, or another's.
            (link.Id, link.State) = (link.OwnId, link.HasStaging ? LinkState.Staged : LinkState.Planned);
        }

        Advance();
    }

    private void Take(ChainLink link, LayerRecord layer)
    {
        link.Take(layer);
        EndStaging(link);
    }

    /// <summary>Settles what needs the layers below, and completes the directory.</summary>
    private void Settle(ChainLink link)
    {
        _isBusy = true;
        if (link.KnewParents) Complete(link, []);
        else AskStaging<StagingProtocol.Rebased>(new StagingProtocol.Rebase(link.Ticket, ParentsOf(link)), rebased => Complete(link, rebased.Warnings));
    }

    private void Complete(ChainLink link, IReadOnlyList<string> warnings)
    {
        var record = RecordOf(link, warnings);
        AskStaging<StagingProtocol.Finished>(new StagingProtocol.Finish(link.Ticket, record, link.Part.Documents), finished =>
        {
            (link.Record, link.State) = (finished.Record, LinkState.Ready);
            _isBusy = false;
            Advance();
        });
    }

    private LayerRecord RecordOf(ChainLink link, IReadOnlyList<string> warnings)
    {
        // Names are given when the whole chain is there, all at once. A layer that is the only one to get some has them from the start: with it the chain is whole.
        var isNamed = link.Index == _links.Count - 1 && _links.TrueForAll(other => other == link || other.Part.Names.Count == 0);
        var record = new LayerRecord(
            link.OwnId, BelowId(link), LayerKind.Writable, isNamed ? NameRules.Sorted(link.Part.Names) : [],
            new SortedDictionary<string, string>(link.Part.Labels.ToDictionary(StringComparer.Ordinal), StringComparer.Ordinal),
            Store.Time.GetUtcNow());
        if (link.Extracted is not { } found) return WithIds(record, IdsOf(link));
        var told = found.Warnings.Concat(warnings).ToList();
        return record with
        {
            Kind = LayerKind.Sealed, DiffId = found.DiffId, ChainId = ChainOf(link), BlobDigest = found.BlobDigest, BlobSize = found.BlobSize,
            Compression = found.Compression, Size = found.Size, Entries = found.Entries, Uids = found.Uids, Gids = found.Gids,
            Warnings = told.Count == 0 ? null : told,
        };
    }

    /// <summary>
    /// Whose ids a layer has: the map that was asked for, host ids being one; else its parent's; else, without a parent, the store's. What comes out of a tar has those of
    /// the tar, in whatever map it is mounted.
    /// </summary>
    private IdMap IdsOf(ChainLink link) =>
        link.Part.Source is not null ? IdMap.Host : link.Part.Ids ?? (_parent is { } parent ? IdMap.Of(parent) : Store.Settings.Ids);

    private static LayerRecord WithIds(LayerRecord record, IdMap ids) =>
        ids.IsHost() ? record : record with { Uidmap = ids.Uidmap, Gidmap = ids.Gidmap };

    private LayerId? BelowId(ChainLink link) => link.Index == 0 ? _order.Parent : _links[link.Index - 1].Id;

    private Digest? ChainOf(ChainLink link)
    {
        if (_parent is { ChainId: null }) return null;
        var chain = _parent?.ChainId;
        for (var index = 0; index <= link.Index; index++)
        {
            if (_links[index].DiffId is not { } diff) return null;
            chain = Digest.Chain(chain, diff);
        }

        return chain;
    }

    /// <summary>The layers below, nearest first: those of the chain where they are now, then those that were there before.</summary>
    private IReadOnlyList<LayerLocation> ParentsOf(ChainLink link)
    {
        var below = _links.Take(link.Index).Reverse()
            .Select(lower => lower.State == LinkState.Done ? Store.Locate(lower.Id) : new LayerLocation(lower.Id, Store.Layout.StagedLayer(lower.Ticket)));
        return _parent is null ? [.. below] : [.. below, Store.Locate(_parent.Id), .. Store.ParentsOf(_parent)];
    }

    private ChainLink? LinkOf(TicketId ticket) => _links.FirstOrDefault(link => link.Ticket == ticket);

    private List<ChainLink> Ready() => [.. _links.Where(static link => link.State == LinkState.Ready)];

    private void Publish(ChainLink link, StagingPhase phase) => Store.Publish(
        new StagingProgress(link.Ticket, phase, link.Extracted?.BlobSize ?? 0, link.Extracted?.BlobSize ?? link.Part.Source?.Length, link.Extracted?.Entries ?? 0));
}

/// <summary>A chain to be made.</summary>
/// <param name="Operation">The verb of the command.</param>
/// <param name="Parent">The layer below the first.</param>
/// <param name="Parts">At least one.</param>
/// <param name="Reuse">Whether a layer of the same content is taken instead of a second copy.</param>
/// <param name="Owner">Whose death cancels the work.</param>
/// <param name="Answer">Makes the reply.</param>
internal sealed record ChainOrder(
    string Operation, LayerId? Parent, IReadOnlyList<ChainPart> Parts, bool Reuse, IActorRef? Owner, Func<IReadOnlyList<StoreProtocol.AppliedLayer>, object> Answer);
