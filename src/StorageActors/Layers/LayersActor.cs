using Akka.Actor;
using Akka.Event;
using StorageActors.Journal;
using StorageActors.Protocol;

namespace StorageActors.Layers;

/// <summary>
/// Starts a layer's actor when it is needed and lets it go when it is idle; keeps what comes in between, so that nothing is lost. Knows what is
/// mounted. A layer's actor that stops without having asked (its journal failed) is started again with the leases that it had.
/// </summary>
internal sealed class LayersActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan RestartPause = TimeSpan.FromSeconds(1);

    private readonly LayerEnvironment _environment;
    private readonly Func<LayerSetup, IReadOnlyList<LeaseEvent.Granted>?, IActorRef, Props> _layer;
    private readonly Dictionary<LayerId, Child> _children = [];
    private readonly Dictionary<LayerId, LayerInternal.MountChanged> _mounts = [];
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private int _leases;

    public LayersActor(LayerEnvironment environment, Func<LayerSetup, IReadOnlyList<LeaseEvent.Granted>?, IActorRef, Props> layer)
    {
        (_environment, _layer) = (environment, layer);
        Receive<LayerInternal.Deliver>(Deliver);
        Receive<LayerInternal.Ready>(ready => Find(ready.Layer)?.Open());
        Receive<LayerInternal.MountChanged>(Note);
        Receive<LayerInternal.IsRunning>(question => Sender.Tell(new LayerInternal.Running(question.Layer, Find(question.Layer) is not null)));
        Receive<LayerInternal.GetMounts>(_ => Sender.Tell(new CatalogProtocol.Mounts(Mounts())));
        Receive<LayerInternal.Passivate>(passivate =>
        {
            Find(passivate.Layer)?.Close();
            Sender.Tell(new LayerInternal.StopIdle());
        });
        Receive<LayerInternal.StillBusy>(busy => Find(busy.Layer)?.Open());
        Receive<ChildEnded>(ended => Ended(ended.Child));
        Receive<Restart>(restart => Start(restart.Setup));
    }

    public ITimerScheduler Timers { get; set; } = null!;

    internal static Props Props(LayerEnvironment environment) =>
        Props(environment, (setup, remembered, observer) => LayerActor.Props(setup, environment, remembered, observer));

    /// <summary>For tests, which put their own probes in the place of layers.</summary>
    internal static Props Props(LayerEnvironment environment, Func<LayerSetup, IReadOnlyList<LeaseEvent.Granted>?, IActorRef, Props> layer) =>
        Akka.Actor.Props.Create(() => new LayersActor(environment, layer));

    /// <summary>A layer whose actor has a defect is started again from its journal, as after a failed journal.</summary>
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(static _ => Directive.Stop);

    private void Deliver(LayerInternal.Deliver deliver)
    {
        var child = Find(deliver.Setup.Id);
        if (child is not null && child.Setup.PersistenceId != deliver.Setup.PersistenceId)
        {
            child.Actor.Tell(new LayerInternal.Forget()); // Its layer is gone; another has the id, and waits until this one has stopped.
            child.Close();
        }

        (child ?? Start(deliver.Setup)).Send(deliver.Setup, deliver.Message, Sender);
    }

    private Child Start(LayerSetup setup)
    {
        if (Find(setup.Id) is { } running) return running;
        Timers.Cancel(setup.Id);
        var remembered = _mounts.GetValueOrDefault(setup.Id)?.Leases;
        var child = new Child(setup, Context.ActorOf(_layer(setup, remembered is { Count: > 0 } ? remembered : null, Context.Parent)));
        Context.WatchWith(child.Actor, new ChildEnded(child));
        _children.Add(setup.Id, child);
        return child;
    }

    private void Ended(Child child)
    {
        var id = child.Setup.Id;
        _children.Remove(id);
        if (child.WasReady)
        {
            if (_mounts.ContainsKey(id)) Timers.StartSingleTimer(id, new Restart(child.Setup), RestartPause);
            foreach (var (setup, message, sender) in child.Waiting) Start(setup).Send(setup, message, sender);
            return;
        }

        _log.Error("layer {0}: its journal cannot be read, so it cannot be served", id);
        var refusal = new StoreProtocol.Refused(new StorageError(
            StorageErrorCode.Io, "layer", $"the leases of layer {id} cannot be read from the journal; the log says why. Try again when the journal works"));
        foreach (var (_, _, sender) in child.Waiting) sender.Tell(refusal);
    }

    private void Note(LayerInternal.MountChanged changed)
    {
        _leases += changed.Leases.Count - (_mounts.GetValueOrDefault(changed.Layer)?.Leases.Count ?? 0);
        if (changed.Mount is null) _mounts.Remove(changed.Layer);
        else _mounts[changed.Layer] = changed;
        _environment.Metrics.Mounted(_mounts.Count, _leases);
    }

    private MountRecord[] Mounts() =>
        [.. _mounts.Values.Select(static changed => changed.Mount!).OrderBy(static mount => mount.Layer.Value, StringComparer.Ordinal)];

    private Child? Find(LayerId id) => _children.GetValueOrDefault(id);

    /// <summary>A layer's actor, and what waits for it while it starts or stops; changed by this actor alone.</summary>
    private sealed class Child(LayerSetup setup, IActorRef actor)
    {
        private bool _isOpen;

        internal LayerSetup Setup { get; } = setup;

        internal IActorRef Actor { get; } = actor;

        internal bool WasReady { get; private set; }

        internal Queue<(LayerSetup Setup, object Message, IActorRef Sender)> Waiting { get; } = new();

        internal void Open()
        {
            (_isOpen, WasReady) = (true, true);
            while (Waiting.TryDequeue(out var item)) Actor.Tell(item.Message, item.Sender);
        }

        internal void Close() => _isOpen = false;

        internal void Send(LayerSetup setup, object message, IActorRef sender)
        {
            if (!_isOpen) Waiting.Enqueue((setup, message, sender));
            else Actor.Tell(message, sender);
        }
    }

    private sealed record ChildEnded(Child Child) : INoSerializationVerificationNeeded;

    private sealed record Restart(LayerSetup Setup);
}
