using Akka.Actor;
using Akka.Actor.Internal;

namespace Akka.TestKit.Internal;

/// <summary>Makes the test actor the sender of what a test tells, on whatever thread the test goes on after an await.</summary>
internal sealed class ActorCellKeepingSynchronizationContext(ActorCell cell) : SynchronizationContext
{
    public override void Post(SendOrPostCallback d, object? state) => ThreadPool.QueueUserWorkItem(_ => Send(d, state));

    public override void Send(SendOrPostCallback d, object? state)
    {
        var (oldCell, oldContext) = (InternalCurrentActorCellKeeper.Current, Current);
        InternalCurrentActorCellKeeper.Current = cell;
        SetSynchronizationContext(this);
        try
        {
            d(state);
        }
        finally
        {
            InternalCurrentActorCellKeeper.Current = oldCell;
            SetSynchronizationContext(oldContext);
        }
    }
}
