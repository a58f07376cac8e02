using Akka.Actor;

namespace Akka.Persistence;

/// <summary>To a persistent actor: it may recover now.</summary>
internal sealed class RecoveryPermitGranted
{
    public static readonly RecoveryPermitGranted Instance = new();
}

/// <summary>
/// Lets a bounded number of persistent actors recover at a time, first come first served. Most are let through at once, so it is no actor: to ask one wakes two threads. Safe to use from many
/// threads.
/// </summary>
internal sealed class RecoveryPermitter(int maxPermits)
{
    private readonly Lock _gate = new();
    private readonly HashSet<IActorRef> _holders = [];
    private readonly LinkedList<IActorRef> _waiting = [];

    /// <summary>Tells the actor <see cref="RecoveryPermitGranted"/>, at once or when it is its turn. To be followed by <see cref="Return"/>, however the actor ends.</summary>
    public void Request(IActorRef actor)
    {
        lock (_gate)
        {
            if (!_holders.Contains(actor) && !_waiting.Contains(actor)) _waiting.AddLast(actor);
            Grant();
        }
    }

    /// <summary>Lets the next one through; also for who was still waiting.</summary>
    public void Return(IActorRef actor)
    {
        lock (_gate)
        {
            if (!_holders.Remove(actor)) _waiting.Remove(actor);
            Grant();
        }
    }

    private void Grant()
    {
        while (_holders.Count < maxPermits && _waiting.First is { Value: var next })
        {
            _waiting.RemoveFirst();
            _holders.Add(next);
            next.Tell(RecoveryPermitGranted.Instance, ActorRefs.NoSender);
        }
    }
}
