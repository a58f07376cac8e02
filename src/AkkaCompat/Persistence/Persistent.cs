using System.Collections.Immutable;
using Akka.Actor;

namespace Akka.Persistence;

/// <summary>What one write message is made of: events to store, and messages that only keep their place among them.</summary>
public interface IPersistentEnvelope
{
    object Payload { get; }
    IActorRef? Sender { get; }
    int Size { get; }
}

/// <summary>A deferred message: it passes the journal's queue in order and is not stored.</summary>
internal sealed class NonPersistentMessage(object payload, IActorRef? sender) : IPersistentEnvelope
{
    public object Payload { get; } = payload;
    public IActorRef? Sender { get; } = sender;
    public int Size => 1;
}

/// <summary>Events of one actor that are stored together or not at all.</summary>
public sealed class AtomicWrite : IPersistentEnvelope
{
    public AtomicWrite(IPersistentRepresentation @event) : this(ImmutableArray.Create(@event)) { }

    public AtomicWrite(IImmutableList<IPersistentRepresentation> payload)
    {
        if (payload.Count == 0) throw new ArgumentException("An atomic write holds at least one event", nameof(payload));
        if (payload.Any(p => p.PersistenceId != payload[0].PersistenceId))
            throw new ArgumentException("An atomic write holds events of one persistence id", nameof(payload));
        Events = payload;
    }

    public object Payload => Events;
    public IActorRef? Sender => ActorRefs.NoSender;
    public int Size => Events.Count;
    public string PersistenceId => Events[0].PersistenceId;
    public long LowestSequenceNr => Events[0].SequenceNr;
    public long HighestSequenceNr => Events[^1].SequenceNr;

    internal IImmutableList<IPersistentRepresentation> Events { get; }

    public override string ToString() => $"AtomicWrite({PersistenceId}, {LowestSequenceNr}-{HighestSequenceNr})";
}

/// <summary>One event as the journal sees it.</summary>
public interface IPersistentRepresentation
{
    object Payload { get; }
    string Manifest { get; }
    string PersistenceId { get; }
    long SequenceNr { get; }
    string WriterGuid { get; }
    bool IsDeleted { get; }
    IActorRef? Sender { get; }
    long Timestamp { get; }

    IPersistentRepresentation WithPayload(object payload);
    IPersistentRepresentation WithManifest(string manifest);
    IPersistentRepresentation WithTimestamp(long newTimestamp);
    IPersistentRepresentation Update(long sequenceNr, string persistenceId, bool isDeleted, IActorRef? sender, string writerGuid);
}

/// <summary>The only <see cref="IPersistentRepresentation"/> there is.</summary>
public class Persistent(
    object payload,
    long sequenceNr = 0L,
    string? persistenceId = null,
    string? manifest = null,
    bool isDeleted = false,
    IActorRef? sender = null,
    string? writerGuid = null,
    long timestamp = 0L) : IPersistentRepresentation
{
    public object Payload { get; } = payload;
    public long SequenceNr { get; } = sequenceNr;
    public string PersistenceId { get; } = persistenceId ?? "";
    public string Manifest { get; } = manifest ?? "";
    public bool IsDeleted { get; } = isDeleted;
    public IActorRef? Sender { get; } = sender;
    public string WriterGuid { get; } = writerGuid ?? "";
    public long Timestamp { get; } = timestamp;

    public IPersistentRepresentation WithPayload(object payload) =>
        new Persistent(payload, SequenceNr, PersistenceId, Manifest, IsDeleted, Sender, WriterGuid, Timestamp);

    public IPersistentRepresentation WithManifest(string manifest) =>
        new Persistent(Payload, SequenceNr, PersistenceId, manifest, IsDeleted, Sender, WriterGuid, Timestamp);

    public IPersistentRepresentation WithTimestamp(long newTimestamp) =>
        new Persistent(Payload, SequenceNr, PersistenceId, Manifest, IsDeleted, Sender, WriterGuid, newTimestamp);

    public IPersistentRepresentation Update(
        long sequenceNr, string persistenceId, bool isDeleted, IActorRef? sender, string writerGuid) =>
        new Persistent(Payload, sequenceNr, persistenceId, Manifest, isDeleted, sender, writerGuid, Timestamp);

    public override string ToString() => $"Persistent({PersistenceId}, {SequenceNr}, {Payload})";
}
