using Akka.Actor;

namespace Akka.Persistence.Snapshot;

/// <summary>The base of a snapshot store plugin.</summary>
public abstract class SnapshotStore : ActorBase
{
    /// <summary>The matching snapshot with the highest sequence number; null if none matches.</summary>
    protected abstract Task<SelectedSnapshot?> LoadAsync(string persistenceId, SnapshotSelectionCriteria criteria);

    /// <summary>Stores the snapshot, in the place of one with the same id and number.</summary>
    protected abstract Task SaveAsync(SnapshotMetadata metadata, object snapshot);

    /// <summary>Deletes the snapshot with the number; if the metadata has a time, only if it is not younger.</summary>
    protected abstract Task DeleteAsync(SnapshotMetadata metadata);

    /// <summary>Deletes all snapshots that match.</summary>
    protected abstract Task DeleteAsync(string persistenceId, SnapshotSelectionCriteria criteria);

    /// <summary>Takes messages of the plugin's own.</summary>
    protected virtual bool ReceivePluginInternal(object message) => false;

    protected sealed override bool Receive(object message)
    {
        switch (message)
        {
            case LoadSnapshot load:
                _ = LoadAsync(load, Sender);
                return true;
            case SaveSnapshot save:
                _ = AnswerAsync(
                    () => SaveAsync(save.Metadata, save.Snapshot), new SaveSnapshotSuccess(save.Metadata),
                    cause => new SaveSnapshotFailure(save.Metadata, cause), Sender);
                return true;
            case DeleteSnapshot delete:
                _ = AnswerAsync(
                    () => DeleteAsync(delete.Metadata), new DeleteSnapshotSuccess(delete.Metadata),
                    cause => new DeleteSnapshotFailure(delete.Metadata, cause), Sender);
                return true;
            case DeleteSnapshots delete:
                _ = AnswerAsync(
                    () => DeleteAsync(delete.PersistenceId, delete.Criteria), new DeleteSnapshotsSuccess(delete.Criteria),
                    cause => new DeleteSnapshotsFailure(delete.Criteria, cause), Sender);
                return true;
            default:
                return ReceivePluginInternal(message);
        }
    }

    private async Task LoadAsync(LoadSnapshot message, IActorRef sender)
    {
        try
        {
            var snapshot = message.Criteria == SnapshotSelectionCriteria.None
                ? null
                : await LoadAsync(message.PersistenceId, message.Criteria.Limit(message.ToSequenceNr)).ConfigureAwait(false);
            sender.Tell(new LoadSnapshotResult(snapshot, message.ToSequenceNr), ActorRefs.NoSender);
        }
        catch (Exception cause)
        {
            sender.Tell(new LoadSnapshotFailed(cause), ActorRefs.NoSender);
        }
    }

    private static async Task AnswerAsync(Func<Task> action, object success, Func<Exception, object> failure, IActorRef sender)
    {
        try
        {
            await action().ConfigureAwait(false);
            sender.Tell(success, ActorRefs.NoSender);
        }
        catch (Exception cause)
        {
            sender.Tell(failure(cause), ActorRefs.NoSender);
        }
    }
}
