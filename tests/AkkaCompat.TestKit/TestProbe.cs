using Akka.Actor;
using Akka.Dispatch.SysMsg;
using Akka.Util;

namespace Akka.TestKit;

/// <summary>A test actor of its own: stands in for a neighbour of the actor under test. Can be used wherever an actor's reference can.</summary>
public class TestProbe : TestKitBase, INoImplicitSender, IInternalActorRef
{
    public TestProbe(ActorSystem system, string? testProbeName = null) : base(system, testProbeName) { }

    public IActorRef Ref => TestActor;

    /// <summary>Who sent what was received last.</summary>
    public IActorRef Sender => LastSender ?? throw new InvalidOperationException("No message was received");

    public override TestProbe CreateTestProbe(string? name = null) =>
        throw new NotSupportedException("Cannot create a probe from a probe");

    /// <summary>Tells as the probe.</summary>
    public void Send(IActorRef actor, object message) => actor.Tell(message, TestActor);

    /// <summary>Passes what was received last on, with its sender.</summary>
    public void Forward(IActorRef actor) => Forward(actor, LastMessage!);

    public void Forward(IActorRef actor, object message) => actor.Tell(message, Sender);

    /// <summary>Answers what was received last.</summary>
    public void Reply(object message) => Sender.Tell(message, TestActor);

    public ActorPath Path => TestActor.Path;

    void ICanTell.Tell(object message, IActorRef sender) => TestActor.Tell(message, sender);

    bool IEquatable<IActorRef>.Equals(IActorRef? other) => TestActor.Equals(other is TestProbe probe ? probe.TestActor : other);

    int IComparable<IActorRef>.CompareTo(IActorRef? other) => TestActor.CompareTo(other is TestProbe probe ? probe.TestActor : other);

    int IComparable.CompareTo(object? obj) => TestActor.CompareTo(obj is TestProbe probe ? probe.TestActor : obj);

    public override bool Equals(object? obj) => obj is IActorRef other && ((IEquatable<IActorRef>)this).Equals(other);

    public override int GetHashCode() => TestActor.GetHashCode();

    public override string ToString() => TestActor.ToString()!;

    ISurrogate ISurrogated.ToSurrogate(ActorSystem system) => TestActor.ToSurrogate(system);

    private IInternalActorRef Internal => (IInternalActorRef)TestActor;

    bool IActorRefScope.IsLocal => Internal.IsLocal;
    IInternalActorRef IInternalActorRef.Parent => Internal.Parent;
    IActorRefProvider IInternalActorRef.Provider => Internal.Provider;

    [Obsolete("Watch it instead")]
    bool IInternalActorRef.IsTerminated => Internal.IsTerminated;

    IActorRef IInternalActorRef.GetChild(IReadOnlyList<string> name) => Internal.GetChild(name);

    void IInternalActorRef.Resume(Exception causedByFailure) => Internal.Resume(causedByFailure);

    void IInternalActorRef.Start() => Internal.Start();

    void IInternalActorRef.Stop() => Internal.Stop();

    void IInternalActorRef.Restart(Exception cause) => Internal.Restart(cause);

    void IInternalActorRef.Suspend() => Internal.Suspend();

    void IInternalActorRef.SendSystemMessage(ISystemMessage message, IActorRef sender) => Internal.SendSystemMessage(message);

    void IInternalActorRef.SendSystemMessage(ISystemMessage message) => Internal.SendSystemMessage(message);
}
