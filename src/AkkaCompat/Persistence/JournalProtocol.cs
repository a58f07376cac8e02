using Akka.Actor;

namespace Akka.Persistence;

/// <summary>Passes between persistent actors and plugins of one process only, and so is never serialized.</summary>
public interface IPersistenceMessage : INoSerializationVerificationNeeded;

/// <summary>A message of the journal's protocol.</summary>
public interface IJournalMessage : IPersistenceMessage;

/// <summary>A question to the journal.</summary>
public interface IJournalRequest : IJournalMessage;

/// <summary>An answer of the journal.</summary>
public interface IJournalResponse : IJournalMessage;

/// <summary>Stores the atomic writes, and passes on what is deferred, in this order.</summary>
/// <remarks>Answers the actor with one message for each event with the instance id in it, then <see cref="WriteMessagesSuccessful"/>; or with
/// <see cref="WriteMessagesFailed"/>, then the messages.</remarks>
public sealed record WriteMessages(IEnumerable<IPersistentEnvelope> Messages, IActorRef PersistentActor, int ActorInstanceId) : IJournalRequest;

public sealed class WriteMessagesSuccessful : IJournalResponse
{
    private WriteMessagesSuccessful() { }

    public static WriteMessagesSuccessful Instance { get; } = new();
}

public sealed record WriteMessagesFailed(Exception Cause, int WriteCount) : IJournalResponse;

public sealed record WriteMessageSuccess(IPersistentRepresentation Persistent, int ActorInstanceId) : IJournalResponse;

public sealed record WriteMessageRejected(IPersistentRepresentation Persistent, Exception Cause, int ActorInstanceId) : IJournalResponse;

public sealed record WriteMessageFailure(IPersistentRepresentation Persistent, Exception Cause, int ActorInstanceId) : IJournalResponse;

public sealed record LoopMessageSuccess(object Message, int ActorInstanceId) : IJournalResponse;

/// <summary>Sends stored events to the actor.</summary>
/// <remarks>Answers <see cref="ReplayedMessage"/> for each, then <see cref="RecoverySuccess"/> or <see cref="ReplayMessagesFailure"/>.</remarks>
public sealed record ReplayMessages(long FromSequenceNr, long ToSequenceNr, long Max, string PersistenceId, IActorRef PersistentActor)
    : IJournalRequest;

public sealed record ReplayedMessage(IPersistentRepresentation Persistent) : IJournalResponse;

public sealed record RecoverySuccess(long HighestSequenceNr) : IJournalResponse;

public sealed record ReplayMessagesFailure(Exception Cause) : IJournalResponse;

/// <summary>Deletes events up to and including the number.</summary>
/// <remarks>Answers the actor with <see cref="DeleteMessagesSuccess"/> or <see cref="DeleteMessagesFailure"/>.</remarks>
public sealed record DeleteMessagesTo(string PersistenceId, long ToSequenceNr, IActorRef PersistentActor) : IJournalRequest;

public sealed record DeleteMessagesSuccess : IJournalResponse
{
    public DeleteMessagesSuccess(long toSequenceNr) => ToSequenceNr = toSequenceNr;

    public long ToSequenceNr { get; }
}

public sealed record DeleteMessagesFailure : IJournalResponse
{
    public DeleteMessagesFailure(Exception cause, long toSequenceNr) => (Cause, ToSequenceNr) = (cause, toSequenceNr);

    public Exception Cause { get; }
    public long ToSequenceNr { get; }
}
