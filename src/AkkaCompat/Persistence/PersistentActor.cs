using Akka.Actor;

namespace Akka.Persistence;

/// <summary>A persistent actor that says by its return values what it took.</summary>
public abstract class PersistentActor : Eventsourced
{
    protected override bool Receive(object message) => ReceiveCommand(message);
}

/// <summary>A persistent actor that sorts its messages itself.</summary>
public abstract class UntypedPersistentActor : Eventsourced
{
    protected override bool Receive(object message) => ReceiveCommand(message);

    protected sealed override bool ReceiveCommand(object message)
    {
        OnCommand(message);
        return true;
    }

    protected sealed override bool ReceiveRecover(object message)
    {
        OnRecover(message);
        return true;
    }

    protected abstract void OnCommand(object message);

    protected abstract void OnRecover(object message);

    protected void RunTask(Action action) => RunTask(() =>
    {
        action();
        return Task.CompletedTask;
    });

    protected void Become(UntypedReceive receive) => base.Become(message =>
    {
        receive(message);
        return true;
    });

    protected void BecomeStacked(UntypedReceive receive) => base.BecomeStacked(message =>
    {
        receive(message);
        return true;
    });

    protected static new IUntypedActorContext Context => (IUntypedActorContext)ActorBase.Context;
}
