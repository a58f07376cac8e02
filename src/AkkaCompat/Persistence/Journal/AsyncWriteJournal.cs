using System.Collections.Immutable;
using Akka.Actor;

namespace Akka.Persistence.Journal;

/// <summary>The base of a journal plugin.</summary>
public abstract class WriteJournalBase : ActorBase
{
    /// <summary>The writes as they are to be stored: without the sender, which would be of no use after a restart.</summary>
    protected IEnumerable<AtomicWrite> PreparePersistentBatch(IEnumerable<IPersistentEnvelope> resequencables) =>
        resequencables.OfType<AtomicWrite>().Select(write => new AtomicWrite(write.Events
            .Select(e => e.Update(e.SequenceNr, e.PersistenceId, e.IsDeleted, ActorRefs.NoSender, e.WriterGuid))
            .ToImmutableList()));
}

/// <summary>The base of a journal plugin whose storage answers by tasks.</summary>
/// <remarks>
/// Replies to one actor keep their order because an actor has one write under way at a time, and because whatever else is asked for
/// an id waits until the replies to its write in progress are sent. There is no circuit breaker.
/// </remarks>
public abstract class AsyncWriteJournal : WriteJournalBase, IAsyncRecovery
{
    private sealed record WriteEnded(string PersistenceId, Task Write) : INoSerializationVerificationNeeded;

    private readonly Dictionary<string, Task> _writesInProgress = new(StringComparer.Ordinal);
    private readonly ReplayFilterSettings _replayFilter;

    protected AsyncWriteJournal() =>
        _replayFilter = ReplayFilterSettings.From(Persistence.Instance.Apply(Context.System).ConfigFor(Self));

    /// <inheritdoc />
    public abstract Task ReplayMessagesAsync(
        IActorContext context, string persistenceId, long fromSequenceNr, long toSequenceNr, long max,
        Action<IPersistentRepresentation> recoveryCallback);

    /// <inheritdoc />
    public abstract Task<long> ReadHighestSequenceNrAsync(string persistenceId, long fromSequenceNr);

    /// <summary>Stores the writes, each of them whole or not at all.</summary>
    /// <returns>Null if all were stored, else for each write null or the reason of its rejection. Fails if any may not be stored.</returns>
    protected abstract Task<IImmutableList<Exception?>?> WriteMessagesAsync(IEnumerable<AtomicWrite> messages);

    /// <summary>Deletes the events up to and including the number.</summary>
    protected abstract Task DeleteMessagesToAsync(string persistenceId, long toSequenceNr);

    /// <summary>Takes messages of the plugin's own.</summary>
    protected virtual bool ReceivePluginInternal(object message) => false;

    protected sealed override bool Receive(object message)
    {
        switch (message)
        {
            case WriteMessages write:
                Write(write);
                return true;
            case WriteEnded ended:
                if (_writesInProgress.TryGetValue(ended.PersistenceId, out var current) && current == ended.Write)
                    _writesInProgress.Remove(ended.PersistenceId);
                return true;
            case ReplayMessages replay:
                _ = ReplayAsync(replay, WriteOf(replay.PersistenceId), Context);
                return true;
            case DeleteMessagesTo delete:
                _ = DeleteAsync(delete, WriteOf(delete.PersistenceId));
                return true;
            default:
                return ReceivePluginInternal(message);
        }
    }

    private Task WriteOf(string persistenceId) => _writesInProgress.GetValueOrDefault(persistenceId, Task.CompletedTask);

    private void Write(WriteMessages message)
    {
        var writes = PreparePersistentBatch(message.Messages).ToList();
        if (writes.Count == 0)
        {
            Reply(message, [], Self);
            return;
        }
        var id = writes[0].PersistenceId;
        var ended = WriteAsync(message, writes, Self);
        if (ended.IsCompleted) return;
        _writesInProgress[id] = ended;
        var self = Self;
        _ = ended.ContinueWith(
            t => self.Tell(new WriteEnded(id, t), ActorRefs.NoSender), CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private async Task WriteAsync(WriteMessages message, List<AtomicWrite> writes, IActorRef self)
    {
        IReadOnlyList<Exception?> rejections;
        try
        {
            rejections = await WriteMessagesAsync(writes).ConfigureAwait(false) ?? (IReadOnlyList<Exception?>)[];
            if (rejections.Count != 0 && rejections.Count != writes.Count)
                throw new InvalidOperationException($"The journal answered {rejections.Count} results for {writes.Count} writes");
        }
        catch (Exception cause)
        {
            ReplyFailed(message, writes.Count, cause, self);
            return;
        }
        Reply(message, rejections, self);
    }

    private static void Reply(WriteMessages message, IReadOnlyList<Exception?> rejections, IActorRef self)
    {
        var (actor, instance) = (message.PersistentActor, message.ActorInstanceId);
        var index = 0;
        foreach (var envelope in message.Messages)
        {
            if (envelope is not AtomicWrite write)
            {
                actor.Tell(new LoopMessageSuccess(envelope.Payload, instance), envelope.Sender);
                continue;
            }
            var rejection = index < rejections.Count ? rejections[index] : null;
            index++;
            foreach (var e in write.Events)
                actor.Tell(rejection is null ? new WriteMessageSuccess(e, instance) : new WriteMessageRejected(e, rejection, instance), e.Sender);
        }

        // Last: the actor answers it with its next write, whose replies come from another thread and could overtake what is still to be told here.
        actor.Tell(WriteMessagesSuccessful.Instance, self);
    }

    private static void ReplyFailed(WriteMessages message, int writes, Exception cause, IActorRef self)
    {
        var (actor, instance) = (message.PersistentActor, message.ActorInstanceId);
        actor.Tell(new WriteMessagesFailed(cause, writes), self);
        foreach (var envelope in message.Messages)
        {
            if (envelope is not AtomicWrite write)
                actor.Tell(new LoopMessageSuccess(envelope.Payload, instance), envelope.Sender);
            else
                foreach (var e in write.Events) actor.Tell(new WriteMessageFailure(e, cause, instance), e.Sender);
        }
    }

    private async Task ReplayAsync(ReplayMessages message, Task writeInProgress, IActorContext context)
    {
        var actor = message.PersistentActor;
        try
        {
            await writeInProgress.ConfigureAwait(false);
            var highest = await ReadHighestSequenceNrAsync(message.PersistenceId, Math.Max(0L, message.FromSequenceNr - 1L)).ConfigureAwait(false);
            var to = Math.Min(message.ToSequenceNr, highest);
            if (highest != 0L && message.FromSequenceNr <= to)
            {
                var filter = new ReplayFilter(_replayFilter, context.System, e => actor.Tell(new ReplayedMessage(e), ActorRefs.NoSender));
                await ReplayMessagesAsync(context, message.PersistenceId, message.FromSequenceNr, to, message.Max, filter.Add).ConfigureAwait(false);
                filter.Flush();
            }
            actor.Tell(new RecoverySuccess(highest), ActorRefs.NoSender);
        }
        catch (Exception cause)
        {
            actor.Tell(new ReplayMessagesFailure(cause), ActorRefs.NoSender);
        }
    }

    private async Task DeleteAsync(DeleteMessagesTo message, Task writeInProgress)
    {
        try
        {
            await writeInProgress.ConfigureAwait(false);
            await DeleteMessagesToAsync(message.PersistenceId, message.ToSequenceNr).ConfigureAwait(false);
            message.PersistentActor.Tell(new DeleteMessagesSuccess(message.ToSequenceNr), ActorRefs.NoSender);
        }
        catch (Exception cause)
        {
            message.PersistentActor.Tell(new DeleteMessagesFailure(cause, message.ToSequenceNr), ActorRefs.NoSender);
        }
    }
}
