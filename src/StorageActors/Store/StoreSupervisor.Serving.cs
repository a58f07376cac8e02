using Akka.Actor;
using StorageActors.Catalog;
using StorageActors.Dispatching;
using StorageActors.Flows;
using StorageActors.Layers;
using StorageActors.Protocol;
using StorageActors.Recovery;

namespace StorageActors.Store;

/// <content>What is done with each command.</content>
internal sealed partial class StoreSupervisor
{
    /// <summary>A lease that is meant to last longer has no term.</summary>
    private static readonly TimeSpan LongestTerm = TimeSpan.FromDays(3650);

    private void Serving()
    {
        Questions();
        Receive<LayerProtocol.ICommand>(ToLayer);
        Receive<CatalogProtocol.ChangeNames>(ToCatalog);
        Receive<CatalogProtocol.ChangeLabels>(ToCatalog);

        Receive<StoreProtocol.Apply>(Apply);
        Receive<StoreProtocol.Create>(Create);
        Receive<StoreProtocol.Cancel>(Cancel);
        Flow<StoreProtocol.Seal>("seal", static (store, from, command) => EngineProps.Of(() => new SealFlow(store, from, command)), static command => command.Ticket);
        Receive<StoreProtocol.Fill>(Fill);
        Flow<StoreProtocol.Freeze>("freeze", static (store, from, command) => EngineProps.Of(() => new FreezeFlow(store, from, command)));
        Flow<StoreProtocol.WriteDiff>("diff", static (store, from, command) => EngineProps.Of(() => new DiffFlow(store, from, command)), static command => command.Ticket);
        Flow<StoreProtocol.GetChanges>("changes", static (store, from, command) => EngineProps.Of(() => new DiffFlow(store, from, command)));
        Flow<StoreProtocol.Remove>("remove", static (store, from, command) => EngineProps.Of(() => new RemoveFlow(store, from, command)));
        Flow<StoreProtocol.CollectGarbage>("collect", static (store, from, command) => EngineProps.Of(() => new CollectFlow(store, from, command)), static command => command.Ticket);
        Flow<StoreProtocol.EmptyTrash>("empty", static (store, from, command) => EngineProps.Of(() => new EmptyTrashFlow(store, from, command)), static command => command.Ticket);
        Flow<StoreProtocol.GetUsage>("usage", static (store, from, command) => EngineProps.Of(() => new UsageFlow(store, from, command)));
        Flow<StoreProtocol.UnmountAll>("unmount-all", static (store, from, command) => EngineProps.Of(() => new UnmountAllFlow(store, from, command)));
        Receive<StoreProtocol.GetInfo>(_ => Inform(Sender));
        Flow<StoreProtocol.GetMetadata>("metadata", static (store, from, command) => EngineProps.Of(() => new MetadataFlow(store, from, command)));
        Flow<StoreProtocol.Check>("check", static (store, from, command) => EngineProps.Of(() => new CheckFlow(store, from, command)), static command => command.Ticket);
        Flow<CatalogProtocol.PutImage>("put-image", static (store, from, command) => EngineProps.Of(() => new PutImageFlow(store, from, command)));
        Flow<CatalogProtocol.RemoveImage>("remove-image", static (store, from, command) => EngineProps.Of(() => new RemoveImageFlow(store, from, command)));
        Flow<CatalogProtocol.GetBigData>("document", static (store, from, command) => EngineProps.Of(() => new ReadDocumentFlow(store, from, command)));
        Flow<CatalogProtocol.PutBigData>("put-document", static (store, from, command) => EngineProps.Of(() => new ChangeDocumentFlow(store, from, command)));
        Flow<CatalogProtocol.RemoveBigData>("remove-document", static (store, from, command) => EngineProps.Of(() => new ChangeDocumentFlow(store, from, command)));
        Flow<CatalogProtocol.ReadBlob>("blob", static (store, from, command) => EngineProps.Of(() => new ReadBlobFlow(store, from, command)), static command => command.Ticket);
        Receive<StoreProtocol.ICommand>(command => Sender.Tell(new StoreProtocol.Refused(
            new StorageError(StorageErrorCode.Unsupported, command.GetType().Name, "this version of the store does not know the command"))));

        Receive<StoreInternal.Stop>(_ => Stop());
        News();
    }

    /// <summary>What changes nothing is answered at once, whatever else goes on.</summary>
    private void Questions()
    {
        Receive<StoreProtocol.ICommand>(
            command => Sender.Tell(new StoreProtocol.Refused(Refusals.Invalid(command.GetType().Name, $"{Wholeness.FindLack(command)} is missing", StorageErrorReason.Incomplete))),
            static command => Wholeness.FindLack(command) is not null);
        Receive<StoreInternal.WhenReady>(_ => Sender.Tell(new StoreInternal.Ready(_context.Layout.Root, _store!.Format.StoreId, _store.Format.Driver)));
        Receive<StoreInternal.CallEnded>(ended => _store!.Services.Metrics.OperationEnded(ended.Call, ended.Outcome, ended.Duration));
        Receive<CatalogProtocol.ListLayers>(_ => Sender.Tell(new CatalogProtocol.Layers(_view.Current.WithAdditional(_view.Layers()))));
        Receive<CatalogProtocol.ListImages>(_ => Sender.Tell(new CatalogProtocol.Images(_view.Current.WithAdditional(_view.Current.ListImages()))));
        Receive<CatalogProtocol.ListMounts>(_ => Sender.Tell(new CatalogProtocol.Mounts([.. _mounts.List(), .. ClientHolds.Show(_view.Layers())])));
        Receive<CatalogProtocol.Resolve>(command => Answer(References.Resolve(_view.Current, _mounts.FindPath, command.Reference)));
        Receive<CatalogProtocol.FindChain>(command => Answer(References.FindChain(_view.Current, command.ChainId)));
        Receive<StoreProtocol.GetStatistics>(_ => Sender.Tell(StoreFacts.Measure(_store!.Services.Metrics)));
    }

    private void News()
    {
        Receive<StorageError>(error => _journalError = error);
        Receive<Ended>(Missed);
    }

    private void Answer(Decision<CatalogProtocol.Resolved> decision) =>
        Sender.Tell(decision.IsRefused(out var refusal, out var resolved) ? new StoreProtocol.Refused(refusal) : resolved);

    private void Inform(IActorRef requester)
    {
        var (opened, settings, catalog, flows, context) = (_store!, _setup.Settings, _view.Current, _flows.Count, _context);
        Start("info", EngineProps.Of(() => new InfoFlow(context, requester, facts => StoreFacts.Tell(opened, settings, catalog, flows, facts))), []);
    }

    private void ToLayer(LayerProtocol.ICommand command)
    {
        if (command is LayerProtocol.Acquire { Term: { } term } && (term <= TimeSpan.Zero || term > LongestTerm))
            Sender.Tell(new StoreProtocol.Refused(Refusals.Invalid("mount", FormattableString.Invariant($"a lease's term is above zero and at most {LongestTerm.TotalDays} days"))));
        else if (_view.Current.FindLayer(command.Layer) is not { } layer) Sender.Tell(new StoreProtocol.Refused(Refusals.NotFound("layer", command.Layer)));
        else if (Refusals.Elsewhere(command is LayerProtocol.Acquire ? "mount" : "layer", layer) is { } elsewhere) Sender.Tell(new StoreProtocol.Refused(elsewhere));
        else if (command is LayerProtocol.Acquire && ClientHolds.CheckUse("mount", layer) is { } held) Sender.Tell(new StoreProtocol.Refused(held));
        else _context.Layers.Tell(new LayerInternal.Deliver(_context.SetupOf(layer), command), Sender);
    }

    /// <summary>If the journal fails meanwhile, the catalog ends without an answer; then it is given here.</summary>
    private void ToCatalog(CatalogProtocol.ICommand command)
    {
        var errand = new Errand(command, Sender, Context);
        _changes.Add(errand);
        errand.DeliverTo(_context.Catalog);
    }

    private void Apply(StoreProtocol.Apply command)
    {
        var parts = command.Items.Select(static item => new ChainPart(item.Ticket ?? TicketId.New(), item.Source, item.Spec, item.Expect)).ToList();
        Run(new ChainOrder("apply", command.Parent, parts, command.Reuse, command.Owner, static layers => new StoreProtocol.Applied(layers)));
    }

    private void Create(StoreProtocol.Create command)
    {
        var part = new ChainPart(TicketId.New(), null, command.Spec, new StoreProtocol.Expectations()) { Ids = command.Ids };
        Run(new ChainOrder("create", command.Parent, [part], Reuse: false, Owner: null, static layers => new StoreProtocol.LayerCreated(layers[0].Layer)));
    }

    private void Fill(StoreProtocol.Fill command)
    {
        var (store, from, ticket) = (_context, Sender, command.Ticket ?? TicketId.New());
        Start("fill", EngineProps.Of(() => new FillFlow(store, from, command, ticket)), [ticket]);
    }

    private void Run(ChainOrder order)
    {
        Start(order.Operation, ChainFlow.Props(_context, Sender, order), [.. order.Parts.Select(static part => part.Ticket)]);
    }

    private void Cancel(StoreProtocol.Cancel command)
    {
        if (_flows.Find(command.Ticket) is not { } flow)
        {
            Sender.Tell(new StoreProtocol.Refused(Refusals.NotFound("cancel", $"nothing with the ticket {command.Ticket} is running; it may have ended", StorageErrorReason.UnknownTicket)));
            return;
        }

        flow.Tell(new StopFlow(StorageErrorCode.Cancelled, "it was cancelled"));
        Sender.Tell(new StoreProtocol.CancelAccepted(command.Ticket));
    }

    private void Flow<TCommand>(string name, Func<FlowContext, IActorRef, TCommand, Props> props, Func<TCommand, TicketId?>? ticket = null) =>
        Receive<TCommand>(command => Start(name, props(_context, Sender, command), ticket?.Invoke(command) is { } known ? [known] : []));

    private void Start(string name, Props props, IReadOnlyList<TicketId> tickets) => _flows.Add(Watch(Context.ActorOf(props, _flows.NewName(name))), tickets);
}
