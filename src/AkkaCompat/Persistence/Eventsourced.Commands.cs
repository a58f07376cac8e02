using Akka.Actor;
using Akka.Event;

namespace Akka.Persistence;

public abstract partial class Eventsourced
{
    private readonly record struct PendingHandler(Action<object> Handler, bool Stashing);

    /// <summary>A handler for each event, or deferred message, that is on its way to the journal and back.</summary>
    private readonly Queue<PendingHandler> _pendingHandlers = new();

    /// <summary>What the handler that runs now has persisted or deferred.</summary>
    private readonly List<IPersistentEnvelope> _eventBatch = [];

    /// <summary>What waits for the write in progress to end.</summary>
    private List<IPersistentEnvelope> _journalBatch = [];
    private bool _writeInProgress;
    private int _pendingStashing;
    private bool _taskIsRunning;

    private void ProcessingCommands(Receive behaviour, object message)
    {
        if (TakeReply(message, CommandHandlerDone)) return;
        var failed = true;
        try
        {
            base.AroundReceive(behaviour, message);
            failed = false;
        }
        finally
        {
            CommandProcessed(failed);
        }
    }

    private void CommandProcessed(bool failed)
    {
        FlushEvents();
        if (_taskIsRunning) return;
        if (_pendingStashing > 0) _phase = PersistingEvents;
        else Unstash(all: failed);
    }

    private void CommandHandlerDone(bool failed)
    {
        _pendingHandlers.Dequeue();
        // A handler of PersistAsync may have called Persist.
        if (_pendingStashing > 0) _phase = PersistingEvents;
        else Unstash(all: failed);
    }

    /// <summary>Until the last handler that commands must not overtake has run.</summary>
    private void PersistingEvents(Receive behaviour, object message)
    {
        if (!TakeReply(message, PersistHandlerDone)) _internalStash.Stash();
    }

    private void PersistHandlerDone(bool failed)
    {
        if (_pendingHandlers.Dequeue().Stashing) _pendingStashing--;
        if (_pendingStashing > 0) return;
        _phase = ProcessingCommands;
        Unstash(all: failed);
    }

    private void Unstash(bool all)
    {
        if (all) _internalStash.UnstashAll();
        else _internalStash.Unstash();
    }

    /// <summary>Takes what the journal answers; false if the message is something else. Late answers to an earlier incarnation are dropped.</summary>
    private bool TakeReply(object message, Action<bool> handlerDone)
    {
        switch (message)
        {
            case WriteMessageSuccess success:
                if (success.ActorInstanceId != _instanceId) break;
                LastSequenceNr = Math.Max(LastSequenceNr, success.Persistent.SequenceNr);
                RunHandler(success.Persistent.Payload, handlerDone);
                break;
            case LoopMessageSuccess loop:
                if (loop.ActorInstanceId == _instanceId) RunHandler(loop.Message, handlerDone);
                break;
            case WriteMessageRejected rejected:
                if (rejected.ActorInstanceId != _instanceId) break;
                LastSequenceNr = Math.Max(LastSequenceNr, rejected.Persistent.SequenceNr);
                handlerDone(false);
                OnPersistRejected(rejected.Cause, rejected.Persistent.Payload, rejected.Persistent.SequenceNr);
                break;
            case WriteMessageFailure failure:
                if (failure.ActorInstanceId != _instanceId) break;
                handlerDone(false);
                try
                {
                    OnPersistFailure(failure.Cause, failure.Persistent.Payload, failure.Persistent.SequenceNr);
                }
                finally
                {
                    Context.Stop(Self);
                }
                break;
            case WriteMessagesSuccessful:
                _writeInProgress = false;
                FlushJournalBatch();
                break;
            case WriteMessagesFailed:
                // One failure for each event follows and stops the actor.
                _writeInProgress = false;
                break;
            case RecoveryTick:
                break;
            default:
                return false;
        }
        return true;
    }

    private void RunHandler(object payload, Action<bool> handlerDone)
    {
        var failed = true;
        try
        {
            _pendingHandlers.Peek().Handler(payload);
            failed = false;
        }
        finally
        {
            FlushEvents();
            handlerDone(failed);
        }
    }

    private void FlushEvents()
    {
        if (_eventBatch.Count == 0) return;
        _journalBatch.AddRange(_eventBatch);
        _eventBatch.Clear();
        FlushJournalBatch();
    }

    private void FlushJournalBatch()
    {
        if (_writeInProgress || _journalBatch.Count == 0) return;
        var batch = _journalBatch;
        _journalBatch = [];
        var max = JournalPlugin.MaxMessageBatchSize;
        if (batch.Count > max)
        {
            _journalBatch = batch.GetRange(max, batch.Count - max);
            batch.RemoveRange(max, batch.Count - max);
        }
        _writeInProgress = true;
        Journal.Tell(new WriteMessages(batch, Self, _instanceId));
    }

    public override void AroundPreRestart(Exception cause, object message)
    {
        try
        {
            ReturnStashed();
        }
        finally
        {
            _recoveryTimer?.Cancel();
            ReturnPermit();
            // What the failed command had persisted is stored all the same.
            FlushJournalBatch();
            base.AroundPreRestart(cause, message switch
            {
                WriteMessageSuccess success => success.Persistent,
                LoopMessageSuccess loop => loop.Message,
                ReplayedMessage replayed => replayed.Persistent,
                _ => message,
            });
        }
    }

    public override void AroundPostStop()
    {
        try
        {
            ReturnStashed();
        }
        finally
        {
            _recoveryTimer?.Cancel();
            ReturnPermit();
            base.AroundPostStop();
        }
    }

    /// <summary>Gives all held messages back to the mailbox: to the next incarnation, or to the dead letters.</summary>
    private void ReturnStashed()
    {
        _internalStash.UnstashAll();
        _userStash.UnstashAll(envelope => envelope.Message is not (WriteMessageSuccess or ReplayedMessage));
    }

    protected override void Unhandled(object message)
    {
        switch (message)
        {
            case RecoveryCompleted:
                break;
            case SaveSnapshotFailure f:
                Log.Warning("Failed to SaveSnapshot given metadata [{0}] due to: [{1}: {2}]", f.Metadata, f.Cause.GetType(), f.Cause.Message);
                break;
            case DeleteSnapshotFailure f:
                Log.Warning("Failed to DeleteSnapshot given metadata [{0}] due to: [{1}: {2}]", f.Metadata, f.Cause.GetType(), f.Cause.Message);
                break;
            case DeleteSnapshotsFailure f:
                Log.Warning("Failed to DeleteSnapshots given criteria [{0}] due to: [{1}: {2}]", f.Criteria, f.Cause.GetType(), f.Cause.Message);
                break;
            case DeleteMessagesFailure f:
                Log.Warning("Failed to DeleteMessages ToSequenceNr [{0}] for PersistenceId [{1}] due to: [{2}: {3}]",
                    f.ToSequenceNr, PersistenceId, f.Cause.GetType(), f.Cause.Message);
                break;
            default:
                base.Unhandled(message);
                break;
        }
    }
}
