using Akka.Actor;

namespace Akka.TestKit;

/// <summary>Answers for a test actor. What it returns takes the next message.</summary>
public abstract class AutoPilot
{
    public static NoAutoPilot NoAutoPilot => NoAutoPilot.Instance;
    public static KeepRunning KeepRunning => KeepRunning.Instance;

    public abstract AutoPilot Run(IActorRef sender, object message);
}

/// <summary>Answers nothing.</summary>
public sealed class NoAutoPilot : AutoPilot
{
    public static NoAutoPilot Instance { get; } = new();

    public override AutoPilot Run(IActorRef sender, object message) => this;
}

/// <summary>Returned by a pilot that stays.</summary>
public sealed class KeepRunning : AutoPilot
{
    public static KeepRunning Instance { get; } = new();

    public override AutoPilot Run(IActorRef sender, object message) =>
        throw new InvalidOperationException("KeepRunning is only to be returned by another pilot");
}

/// <summary>A pilot that is a function.</summary>
public sealed class DelegateAutoPilot(Func<IActorRef, object, AutoPilot> acceptSenderAndMessage) : AutoPilot
{
    public override AutoPilot Run(IActorRef sender, object message) => acceptSenderAndMessage(sender, message);
}
