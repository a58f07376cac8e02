using System.Diagnostics.CodeAnalysis;
using Akka.Actor;
using Akka.Event;
using StorageActors.Catalog;
using StorageActors.Dispatching;
using StorageActors.DriverOperations;
using StorageActors.Drivers;
using StorageActors.Flows;
using StorageActors.Layers;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.Recovery;
using StorageActors.Staging;
using StorageActors.Trash;

namespace StorageActors.Store;

/// <summary>
/// A store's one address. It opens the store, brings it into agreement with itself, and then routes: questions are answered from the catalog's view, what
/// concerns a layer goes to the layer's actor, and every command that takes steps gets a flow of its own.
/// <para>
/// It goes through <c>Opening → Recovering → Serving → Stopping</c>. What comes before it serves waits. When the journal fails, the running commands are refused
/// and it recovers again; when a part is lost that it cannot do without, it is <c>Broken</c> and refuses everything with the reason.
/// </para>
/// </summary>
internal sealed partial class StoreSupervisor : ReceiveActor, IWithUnboundedStash, IWithTimers
{
    private const int MaximumRecoveries = 5;
    private static readonly TimeSpan RecoveryPause = TimeSpan.FromSeconds(1);

    private readonly StoreSetup _setup;
    private readonly CatalogView _view = new();
    private readonly MountView _mounts = new();
    private readonly FlowTable _flows = new();
    private readonly Errands _changes = new();
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private Task<OpenedStore>? _opening;
    private OpenedStore? _store;
    private FlowContext _context = null!;
    private StorageError? _journalError;
    private bool _hasServed;
    private bool _isAtRest;
    private int _recoveries;

    public StoreSupervisor(StoreSetup setup)
    {
        _setup = setup;
        Become(Opening);
    }

    public IStash Stash { get; set; } = null!;

    public ITimerScheduler Timers { get; set; } = null!;

    internal static Props Props(StoreSetup setup) => EngineProps.Of(() => new StoreSupervisor(setup));

    /// <summary>Nothing is started again behind its back: a flow that failed has its answer, and who else fails is missed and seen to.</summary>
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(static _ => Directive.Stop);

    protected override void PreStart()
    {
        // A thread of its own: locks, small files and trial mounts, before there is anybody to do it.
        _opening = Task.Factory.StartNew(
            () => OpenedStore.Open(_setup.Settings, _setup.OpenDriver, _setup.Transfers, _setup.Time, _setup.Socket),
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        _ = _opening.PipeTo(Self, success: static store => new Opened(store), failure: static e => new OpenFailed(e));
    }

    protected override void PostStop()
    {
        var stopping = new StorageError(StorageErrorCode.ShuttingDown, "store", "the engine is stopping");
        _changes.Refuse(stopping);
        foreach (var waiting in Stash.ClearStash().Where(static waiting => waiting.Message is StoreProtocol.ICommand or StoreInternal.WhenReady))
            waiting.Sender.Tell(new StoreProtocol.Refused(stopping));
        // The children are gone by now; so nothing runs any more on what is closed here.
        if (_hasServed) NoteNames(_store!.Services);
        if (_hasServed) MarkEnd(_store!.Services.Layout);
        if (_store is not null) _store.Dispose();
        else _ = _opening?.ContinueWith(static opening => opening.GetAwaiter().GetResult().Dispose(), TaskContinuationOptions.OnlyOnRanToCompletion);
    }

    /// <summary>The journal is closed soon, and says no more then that something was half done; one that lies elsewhere never does.</summary>
    private void MarkEnd(StoreLayout layout)
    {
        if (!_isAtRest) UnsettledMark.Set(layout);
        else if (!_setup.Settings.HasOwnJournal) UnsettledMark.Clear(layout);
    }

    /// <summary>For the next start, which of a small store lists them as quickly.</summary>
    private void NoteNames(DriverServices services)
    {
        if (LookAtNames.IsWorthwhile(_view.Current, _setup.Settings)) LookAtNames.Prepare(services);
        else SeenNames.Forget(services.Layout);
    }

    /// <summary>A record that is read when it is first asked for may turn out to be unreadable: then the journal is damaged, as if a start had found it so.</summary>
    protected override bool AroundReceive(Receive receive, object message)
    {
        try
        {
            return base.AroundReceive(receive, message);
        }
        catch (StorageException e) when (JournalFailure.IsUnreadable(e))
        {
            if (message is StoreProtocol.ICommand) Sender.Tell(new StoreProtocol.Refused(e.Error));
            Break(e.Error);
            return true;
        }
    }

    private void Opening()
    {
        Receive<Opened>(opened =>
        {
            _store = opened.Store;
            StartChildren(opened.Store.Services);
            Become(Recovering);
        });
        Receive<OpenFailed>(failed => Break(ErrorOf(failed.Cause)));
        Receive<StoreInternal.Stop>(_ => Become(GivingUp));
        ReceiveAny(_ => Stash.Stash());
    }

    /// <summary>It is not wanted any more, and is being opened: what that tries on the disk is taken back by the same thread.</summary>
    private void GivingUp()
    {
        Receive<Opened>(opened =>
        {
            _store = opened.Store; // Closed when this actor has stopped.
            Context.Stop(Self);
        });
        Receive<OpenFailed>(_ => Context.Stop(Self));
        ReceiveAny(_ => Stash.Stash());
    }

    private void Recovering()
    {
        Receive<CatalogInternal.Recovered>(recovered =>
        {
            _log.Info("the journal has {0} layers and {1} images", recovered.Layers, recovered.Images);
            Watch(Context.ActorOf(RecoveryFlow.Props(_context, Self, isThorough: _hasServed || !_store!.WasClosed), _flows.NewName("recovery")));
        });
        Receive<RecoveryFlow.Recovered>(_ =>
        {
            if (_context.Trash.IsNobody()) StartWorkers();
            _context.Trash.Tell(new TrashProtocol.SweepStaging(AtStart: _recoveries == 0));
        });
        Receive<TrashProtocol.Swept>(_ => Serve());
        Receive<StoreProtocol.Refused>(refused =>
        {
            // What cannot be put into the trash now is no reason to serve nobody: it is tried again from time to time.
            if (Sender.Equals(_context.Trash)) Serve();
            else Break(refused.Error);
        });
        Receive<StorageError>(error => _journalError = error);
        Receive<Ended>(Missed);
        Receive<StoreInternal.Stop>(_ => Context.Stop(Self));
        Receive<RecoverAgain>(_ => StartCatalog());
        ReceiveAny(_ => Stash.Stash());
    }

    private void Serve()
    {
        _log.Info("serving {0} with the driver {1}", _setup.Settings.Root, _store!.Format.Driver);
        (_hasServed, _recoveries) = (true, 0); // A disk that is full fails many writes, and every time all can be put in order.
        Become(Serving);
        Stash.UnstashAll();
    }

    private void StartChildren(DriverServices services)
    {
        var settings = _setup.Settings;
        var operations = Watch(Context.ActorOf(DriverOperationsActor.Props(services, settings.Retries), "drivers"));
        var environment = new LayerEnvironment(
            operations, _setup.Time, ProcFs.BootId(), Guid.NewGuid().ToString("N"), services.Metrics, _mounts, settings.IdleTimeout, settings.LingerRetry,
            settings.JournalPluginId, settings.SnapshotPluginId) { TermCheck = settings.TermCheck };
        var layers = Watch(Context.ActorOf(LayersActor.Props(environment), "layers"));
        var durability = Watch(Context.ActorOf(DurabilityActor.Props(operations), "durability"));
        _context = new FlowContext(
            ActorRefs.Nobody, layers, operations, ActorRefs.Nobody, durability, ActorRefs.Nobody, _view, _mounts, services.Layout, settings,
            services.Driver.Capabilities, services.Transfers, _setup.Time, Publisher(Context.System.EventStream));
        StartCatalog();
    }

    private void StartCatalog()
    {
        var settings = _setup.Settings;
        var mayBeMarked = _hasServed || _store!.Format.Features.Have(StoreFormat.PackedSnapshot); // The catalog before this one may have had it say so.
        var options = new CatalogOptions(
            settings.JournalPluginId, settings.SnapshotPluginId, _context.Layout.Journal, settings.SnapshotEvery, _store!.Additional, mayBeMarked, settings.PackFrom);
        _context = _context with { Catalog = Watch(Context.ActorOf(CatalogActor.Props(options, _view, _context.Operations), _flows.NewName("catalog"))) };
    }

    /// <summary>Not before the journal agrees with the disk: what lies in the trash says which layers were removed.</summary>
    private void StartWorkers()
    {
        var settings = _setup.Settings;
        var trash = Watch(Context.ActorOf(TrashActor.Props(_context.Operations, _store!.Services.Metrics, settings.SweepInterval), "trash"));
        var environment = new StagingEnvironment(_context.Operations, trash, settings.Limits, _setup.Time, _context.Publish, _store.Services.Metrics);
        var stagings = Watch(Context.ActorOf(StagingsActor.Props(environment, settings.StagingParallelism, settings.StagingQueue), "staging"));
        _context = _context with { Trash = trash, Stagings = stagings };
    }

    private static Action<StagingProgress> Publisher(EventStream stream) => stream.Publish;

    private IActorRef Watch(IActorRef child)
    {
        Context.WatchWith(child, new Ended(child));
        return child;
    }

    /// <summary>A child has ended that was not meant to: a flow, the catalog with its journal, or a part without which nothing goes on.</summary>
    private void Missed(Ended ended)
    {
        _flows.Remove(ended.Child);
        if (ended.Child.Equals(_context.Catalog)) MissedCatalog();
        else if (IsVital(ended.Child)) Break(new StorageError(StorageErrorCode.Damaged, "store", $"the store has stopped serving: {ended.Child.Path.Name} failed; its log says why", _setup.Settings.Root));
    }

    private bool IsVital(IActorRef child) =>
        child.Equals(_context.Operations) || child.Equals(_context.Layers) || child.Equals(_context.Durability)
        || child.Equals(_context.Stagings) || child.Equals(_context.Trash);

    /// <summary>
    /// The journal failed, so what it has and what the disk has may differ: commands that wait for it are refused, and the store recovers as at its start. When that
    /// does not help, or the journal could not even be read, it stops serving; also when a record in it turns out to be unreadable, which it is the next time, too.
    /// </summary>
    private void MissedCatalog()
    {
        var error = _journalError ?? new StorageError(StorageErrorCode.Internal, "journal", "the catalog failed; the store's log has the stack");
        foreach (var flow in _flows.All) flow.Tell(new AbortFlow(error));
        _changes.Refuse(error);
        if (!_hasServed || JournalFailure.IsUnreadable(error) || ++_recoveries > MaximumRecoveries)
        {
            var code = error.Code == StorageErrorCode.Internal ? StorageErrorCode.Damaged : error.Code;
            Break(JournalFailure.IsUnreadable(error) ? error : error with { Code = code, Message = $"{error.Message.TrimEnd('.')}. {JournalFailure.AdviceFor(code)}" });
            return;
        }

        _log.Error("{0}; the store recovers", error);
        Timers.StartSingleTimer(RecoverAgain.Instance, RecoverAgain.Instance, RecoveryPause);
        Become(Recovering);
    }

    private void Break(StorageError error)
    {
        // One that does not open tells those who wait for it, and a command prints it as its own failure.
        if (_hasServed) _log.Error("{0}", error);
        else _log.Info("{0}", error);
        foreach (var flow in _flows.All) flow.Tell(new AbortFlow(error));
        _changes.Refuse(error);
        Become(() => Broken(error));
        Stash.UnstashAll();
    }

    private void Broken(StorageError error)
    {
        Receive<StoreInternal.WhenReady>(_ => Sender.Tell(new StoreProtocol.Refused(error)));
        Receive<StoreProtocol.ICommand>(_ => Sender.Tell(new StoreProtocol.Refused(error)));
        Receive<StoreInternal.Stop>(_ => Context.Stop(Self));
        ReceiveAny(static _ => { });
    }

    [SuppressMessage("Design", "CA1508", Justification = "The exception may be of any type.")]
    private StorageError ErrorOf(Exception cause) => cause switch
    {
        StorageException refusal => refusal.Error,
        AggregateException { InnerException: StorageException refusal } => refusal.Error,
        _ => Defect(cause),
    };

    private StorageError Defect(Exception cause)
    {
        _log.Error(cause, "the store cannot be opened");
        return new StorageError(StorageErrorCode.Internal, "open store", $"a defect of the store, {cause.GetType().Name}: {cause.Message}", _setup.Settings.Root);
    }

    private sealed record Opened(OpenedStore Store) : INoSerializationVerificationNeeded;

    private sealed record OpenFailed(Exception Cause) : INoSerializationVerificationNeeded;

    private sealed record Ended(IActorRef Child) : INoSerializationVerificationNeeded;

    private sealed record RecoverAgain : INoSerializationVerificationNeeded
    {
        internal static readonly RecoverAgain Instance = new();
    }
}
