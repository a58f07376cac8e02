using Akka.Actor;
using StorageActors.Protocol;

namespace StorageActors.Layers;

/// <summary>
/// A layer's actor as its parent sees it: what waits for it while it starts or stops, and what it was given and has not answered. Changed by <see cref="LayersActor"/>
/// alone.
/// </summary>
internal sealed class LayerChild(LayerSetup setup, IActorRef actor)
{
    private readonly Errands _given = new();
    private readonly Queue<(LayerSetup Setup, Errand Errand)> _waiting = new();
    private Errand? _outOfService;
    private bool _isOpen;

    /// <summary>The layer as it was last known.</summary>
    internal LayerSetup Setup { get; private set; } = setup;

    internal IActorRef Actor { get; } = actor;

    /// <summary>Whether its journal was ever read.</summary>
    internal bool WasReady { get; private set; }

    /// <summary>Whether its layer is gone, and it is about to stop.</summary>
    internal bool IsForgotten { get; private set; }

    /// <summary>Why it stopped, if it said so.</summary>
    internal StorageError? Failure { get; set; }

    /// <summary>A message that kept the layer out of service when the actor stopped: for its successor, before all else.</summary>
    internal Errand? OutOfService => _outOfService is { Answer: LayerInternal.Held or LayerInternal.Drained } granted && !IsForgotten ? granted : null;

    /// <summary>What it was given and did not answer, oldest first.</summary>
    internal IReadOnlyList<Errand> Unanswered => _given.Open;

    /// <summary>What it was not given yet, with the layer that it is for: another one, perhaps, of the same id.</summary>
    internal IReadOnlyCollection<(LayerSetup Setup, Errand Errand)> Waiting => _waiting;

    internal void Open()
    {
        WasReady = true;
        if (IsForgotten) return;
        _isOpen = true;
        while (_waiting.TryDequeue(out var next)) Give(next.Setup, next.Errand);
    }

    internal void Close() => _isOpen = false;

    /// <summary>The layer is gone; what comes for another one of its id waits until this actor has stopped.</summary>
    internal void Forget()
    {
        (IsForgotten, _isOpen) = (true, false);
        Actor.Tell(new LayerInternal.Forget());
    }

    internal void Send(LayerSetup newest, Errand errand)
    {
        if (_isOpen) Give(newest, errand);
        else _waiting.Enqueue((newest, errand));
    }

    private void Give(LayerSetup newest, Errand errand)
    {
        Setup = Setup.Then(newest);
        switch (errand.Message)
        {
            case LayerInternal.Hold or LayerInternal.Drain:
                _outOfService = errand;
                _given.Add(errand);
                break;
            case LayerInternal.Unhold or LayerInternal.Undrain:
                _outOfService = null;
                break;
            case LayerInternal.Forget:
                IsForgotten = true;
                break;
            case LayerInternal.ChangeDamage:
                break;
            default:
                _given.Add(errand);
                break;
        }

        errand.DeliverTo(Actor);
    }
}
