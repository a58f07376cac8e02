using Akka.Actor;
using StorageActors.Protocol;
using StorageActors.Trash;

namespace StorageActors.Flows;

/// <summary><see cref="StoreProtocol.EmptyTrash"/>: who stops waiting stops no deleting.</summary>
internal sealed class EmptyTrashFlow : FlowActor
{
    private readonly DeletingProgress _progress;

    public EmptyTrashFlow(FlowContext store, IActorRef requester, StoreProtocol.EmptyTrash command)
        : base(store, requester, "empty trash")
    {
        _progress = new DeletingProgress(new FlowProgress(store, command.Ticket, StagingPhase.Deleting));
        Receive<TrashProtocol.Backlog>(_progress.Deleted);
    }

    protected override void Start() => Ask<TrashProtocol.Emptied>(Store.Trash, new TrashProtocol.Empty(Tell: true), emptied =>
    {
        _progress.End(StagingPhase.Done);
        Answer(new StoreProtocol.TrashEmptied(emptied.Left));
    });

    protected override void OnStop(StorageError why)
    {
        Abandon();
        Refuse(why);
    }

    protected override void Refuse(StorageError error)
    {
        _progress.End(StagingPhase.Failed);
        Answer(new StoreProtocol.Refused(error));
    }
}

/// <summary>How far the deleting is, of a backlog that may grow: not all of it is measured at first.</summary>
internal sealed class DeletingProgress(FlowProgress progress)
{
    private long _backlog;

    internal void Deleted(TrashProtocol.Backlog left)
    {
        var deleted = Math.Max(0, _backlog - left.Bytes);
        _backlog = left.Bytes;
        progress.Total = Math.Max(progress.Total ?? 0, left.Bytes);
        if (progress.Total == 0) return; // Nothing is measured yet, and "0 B of 0 B" would say that it is done.
        progress.Add(deleted, 0);
    }

    internal void End(StagingPhase how) => progress.End(how);
}
