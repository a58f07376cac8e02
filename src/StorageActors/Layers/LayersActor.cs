using Akka.Actor;
using Akka.Event;
using StorageActors.Dispatching;
using StorageActors.DriverOperations;
using StorageActors.Journal;
using StorageActors.Protocol;

namespace StorageActors.Layers;

/// <summary>
/// Starts a layer's actor when it is needed and lets it go when it is idle; keeps what comes in between, so that nothing is lost.
/// A layer's actor that stops without having asked (its journal failed) is started again with the leases that it had, and gets what it did not answer.
/// </summary>
internal sealed class LayersActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan RestartPause = TimeSpan.FromSeconds(1);

    private readonly LayerEnvironment _environment;
    private readonly Func<LayerSetup, IReadOnlyList<LeaseEvent.Granted>?, Props> _layer;
    private readonly Dictionary<LayerId, LayerChild> _children = [];
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly List<(IActorRef Requester, int Number)> _flushing = [];
    private int _unflushed;

    public LayersActor(LayerEnvironment environment, Func<LayerSetup, IReadOnlyList<LeaseEvent.Granted>?, Props> layer)
    {
        (_environment, _layer) = (environment, layer);
        Receive<LayerInternal.Deliver>(Deliver);
        Receive<LayerInternal.Ready>(ready => Find(ready.Layer)?.Open());
        Receive<LayerInternal.IsRunning>(question => Sender.Tell(new LayerInternal.Running(question.Layer, Find(question.Layer) is not null)));
        Receive<LayerInternal.Passivate>(passivate =>
        {
            Find(passivate.Layer)?.Close();
            Sender.Tell(new LayerInternal.StopIdle());
        });
        Receive<LayerInternal.StillBusy>(busy => Find(busy.Layer)?.Open());
        Receive<LayerInternal.JournalFailed>(JournalFailed);
        Receive<DriverProtocol.IReply>(static _ => { }); // Of the room that was made, or not.
        Receive<LayerInternal.Flush>(flush => Flush(Sender, flush.Number));
        Receive<LayerInternal.Flushed>(_ => Flushed());
        Receive<StoreProtocol.Refused>(_ => Flushed());
        Receive<ChildEnded>(ended => Ended(ended.Child));
        Receive<Restart>(restart => Start(restart.Setup));
    }

    public ITimerScheduler Timers { get; set; } = null!;

    internal static Props Props(LayerEnvironment environment) =>
        Props(environment, (setup, remembered) => LayerActor.Props(setup, environment, remembered));

    /// <summary>For tests, which put their own probes in the place of layers.</summary>
    internal static Props Props(LayerEnvironment environment, Func<LayerSetup, IReadOnlyList<LeaseEvent.Granted>?, Props> layer) =>
        EngineProps.Of(() => new LayersActor(environment, layer));

    /// <summary>A layer whose actor has a defect is started again from its journal, as after a failed journal.</summary>
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(static _ => Directive.Stop);

    /// <summary>The children have stopped; what they did not come to is answered here.</summary>
    protected override void PostStop()
    {
        var stopping = new StorageError(StorageErrorCode.ShuttingDown, "layer", "the engine is stopping");
        foreach (var child in _children.Values)
        {
            foreach (var errand in child.Unanswered) errand.Refuse(stopping);
            foreach (var (_, errand) in child.Waiting) errand.Refuse(stopping);
        }
    }

    private void Deliver(LayerInternal.Deliver deliver)
    {
        var child = Find(deliver.Setup.Id);
        if (child is null && deliver.Message is LayerInternal.ChangeDamage) return; // The next actor will know.
        if (child is not null && !child.Setup.IsSameLayer(deliver.Setup))
        {
            if (deliver.Message is LayerInternal.Forget) return; // Of the layer before this one, whose actor has gone to make room for it.
            child.Forget();
        }

        (child ?? Start(deliver.Setup)).Send(deliver.Setup, new Errand(deliver.Message, Sender, Context));
    }

    private LayerChild Start(LayerSetup setup)
    {
        if (Find(setup.Id) is { } running) return running;
        Timers.Cancel(setup.Id);
        var remembered = _environment.Mounts.LeasesOn(setup.Id);
        var child = new LayerChild(setup, Context.ActorOf(_layer(setup, remembered.Count > 0 ? remembered : null)));
        Context.WatchWith(child.Actor, new ChildEnded(child));
        _children.Add(setup.Id, child);
        return child;
    }

    /// <summary>A successor gets what it left: first what keeps the layer out of service, then what it did not answer, then what waited.</summary>
    private void Ended(LayerChild child)
    {
        var id = child.Setup.Id;
        _children.Remove(id);
        if (!child.WasReady)
        {
            _log.Error("layer {0}: its journal cannot be read, so it cannot be served", id);
            foreach (var (_, errand) in child.Waiting) errand.Refuse(Unreadable(id));
            return;
        }

        if (_environment.Mounts.IsMounted(id)) Timers.StartSingleTimer(id, new Restart(child.Setup), RestartPause);
        if (child.OutOfService is { } outOfService) Start(child.Setup).Send(child.Setup, new Errand(outOfService.Message, ActorRefs.Nobody, Context));
        foreach (var errand in child.Unanswered)
        {
            if (child.IsForgotten) errand.Refuse(Removed(id));
            else if (errand.Deliveries > 1) errand.Refuse(child.Failure ?? Failed(id));
            else Start(child.Setup).Send(child.Setup, errand);
        }

        foreach (var (setup, errand) in child.Waiting)
        {
            if (child.IsForgotten && setup.IsSameLayer(child.Setup)) errand.Refuse(Removed(id));
            else Start(setup).Send(setup, errand);
        }
    }

    private static StorageError Removed(LayerId id) => new(StorageErrorCode.NotFound, "layer", $"layer {id} was removed", Reason: StorageErrorReason.UnknownLayer, Layer: id);

    private static StorageError Unreadable(LayerId id) => new(
        StorageErrorCode.Io, "layer", $"the leases of layer {id} cannot be read from the journal; the log says why. Try again when the journal works");

    private static StorageError Failed(LayerId id) =>
        new(StorageErrorCode.Internal, "layer", $"the actor of layer {id} failed twice by this command, a defect of the store; its log has the stack");

    private void JournalFailed(LayerInternal.JournalFailed failed)
    {
        if (Find(failed.Layer) is not { } child) return;
        _environment.Operations.Tell(new DriverProtocol.Perform(DriverProtocol.NextAttempt(), new MakeRoom(failed.Layer)));
        child.Failure = new StorageError(
            StorageErrorCode.Io, "journal", $"the journal does not take the leases of layer {failed.Layer}: {failed.Reason}. Try again when it does");
    }

    /// <summary>
    /// An actor that ends meanwhile has a successor, which answers in its place. Who asks while others wait, waits with them: a layer answers in order, so one that has not
    /// answered them has not answered him.
    /// </summary>
    private void Flush(IActorRef requester, int number)
    {
        _flushing.Add((requester, number));
        _unflushed += _children.Count;
        foreach (var child in _children.Values.ToList()) child.Send(child.Setup, new Errand(new LayerInternal.Flush(number), Self, Context));
        if (_unflushed == 0) AnswerFlushes();
    }

    private void Flushed()
    {
        if (_unflushed > 0 && --_unflushed == 0) AnswerFlushes();
    }

    private void AnswerFlushes()
    {
        foreach (var (requester, number) in _flushing) requester.Tell(new LayerInternal.Flushed(number));
        _flushing.Clear();
    }

    private LayerChild? Find(LayerId id) => _children.GetValueOrDefault(id);

    private sealed record ChildEnded(LayerChild Child) : INoSerializationVerificationNeeded;

    private sealed record Restart(LayerSetup Setup);
}
