using Akka.Actor;

namespace Akka.TestKit.Internal;

/// <summary>Puts what it receives into the test's queue.</summary>
internal sealed class InternalTestActor(TestQueue queue) : ActorBase
{
    /// <summary>Something to do in the actor's context; answered with <see cref="Done"/>.</summary>
    public sealed record Do(Func<IActorContext, object?> Action) : INoSerializationVerificationNeeded;

    public sealed record Done(object? Result, Exception? Failure) : INoSerializationVerificationNeeded;

    public sealed record SetIgnore(Func<object, bool>? Ignore) : INoSerializationVerificationNeeded;

    public sealed record SetAutoPilot(AutoPilot Pilot) : INoSerializationVerificationNeeded;

    private Func<object, bool>? _ignore;
    private AutoPilot _pilot = AutoPilot.NoAutoPilot;

    protected override bool Receive(object message)
    {
        switch (message)
        {
            case Do action:
                Sender.Tell(Run(action));
                break;
            case SetIgnore ignore:
                _ignore = ignore.Ignore;
                break;
            case SetAutoPilot pilot:
                _pilot = pilot.Pilot;
                break;
            default:
                if (_pilot.Run(Sender, message) is var next and not KeepRunning) _pilot = next;
                if (_ignore?.Invoke(message) != true) queue.Add(new RealMessageEnvelope(message, Sender));
                break;
        }
        return true;
    }

    private static Done Run(Do action)
    {
        try
        {
            return new Done(action.Action(Context), null);
        }
        catch (Exception cause)
        {
            return new Done(null, cause);
        }
    }
}
