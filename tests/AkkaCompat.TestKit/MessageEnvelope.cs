using Akka.Actor;

namespace Akka.TestKit;

/// <summary>A message as the test actor received it.</summary>
public abstract class MessageEnvelope
{
    public abstract object? Message { get; }
    public abstract IActorRef? Sender { get; }
}

/// <summary>A message that there was.</summary>
public sealed class RealMessageEnvelope(object message, IActorRef sender) : MessageEnvelope
{
    public override object Message { get; } = message;
    public override IActorRef Sender { get; } = sender;

    public override string ToString() => $"<{Message}> from {Sender}";
}

/// <summary>No message at all.</summary>
public sealed class NullMessageEnvelope : MessageEnvelope
{
    private NullMessageEnvelope() { }

    public static NullMessageEnvelope Instance { get; } = new();

    public override object? Message => null;
    public override IActorRef? Sender => null;

    public override string ToString() => "<null>";
}
