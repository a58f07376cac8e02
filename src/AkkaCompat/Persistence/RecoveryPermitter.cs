using Akka.Actor;

namespace Akka.Persistence;

internal sealed class RequestRecoveryPermit
{
    public static readonly RequestRecoveryPermit Instance = new();
}

internal sealed class RecoveryPermitGranted
{
    public static readonly RecoveryPermitGranted Instance = new();
}

internal sealed class ReturnRecoveryPermit
{
    public static readonly ReturnRecoveryPermit Instance = new();
}

/// <summary>Lets a bounded number of persistent actors recover at a time, first come first served.</summary>
internal sealed class RecoveryPermitter(int maxPermits) : ActorBase
{
    private readonly HashSet<IActorRef> _holders = [];
    private readonly LinkedList<IActorRef> _waiting = [];

    public static Props Props(int maxPermits) => Akka.Actor.Props.Create(() => new RecoveryPermitter(maxPermits));

    protected override bool Receive(object message)
    {
        switch (message)
        {
            case RequestRecoveryPermit:
                Context.Watch(Sender);
                // An actor that was restarted in its recovery still holds its permit, or still waits for one.
                if (_holders.Contains(Sender)) Sender.Tell(RecoveryPermitGranted.Instance);
                else if (!_waiting.Contains(Sender)) _waiting.AddLast(Sender);
                break;
            case ReturnRecoveryPermit:
                Context.Unwatch(Sender);
                _holders.Remove(Sender);
                break;
            case Terminated terminated:
                _holders.Remove(terminated.ActorRef);
                _waiting.Remove(terminated.ActorRef);
                break;
            default:
                return false;
        }
        Grant();
        return true;
    }

    private void Grant()
    {
        while (_holders.Count < maxPermits && _waiting.First is { Value: var next })
        {
            _waiting.RemoveFirst();
            _holders.Add(next);
            next.Tell(RecoveryPermitGranted.Instance);
        }
    }
}
