using Akka.Actor;

namespace Akka.Persistence;

/// <summary>Which snapshot: whose, taken at which event, and when (UTC).</summary>
public sealed record SnapshotMetadata
{
    public SnapshotMetadata(string persistenceId, long sequenceNr, DateTime timestamp) =>
        (PersistenceId, SequenceNr, Timestamp) = (persistenceId, sequenceNr, timestamp);

    public string PersistenceId { get; }
    public long SequenceNr { get; }
    public DateTime Timestamp { get; }

    /// <summary>The timestamp that means: not known.</summary>
    public static DateTime TimestampNotSpecified => DateTime.MinValue;
}

/// <summary>Which snapshots are meant: those at or before a sequence number and a time, both inclusive.</summary>
/// <remarks>The stores ignore the two minimums, as the official SQL store does.</remarks>
public sealed record SnapshotSelectionCriteria
{
    public SnapshotSelectionCriteria(
        long maxSequenceNr, DateTime maxTimeStamp, long minSequenceNr = 0L, DateTime? minTimestamp = null) =>
        (MaxSequenceNr, MaxTimeStamp, MinSequenceNr, MinTimestamp) = (maxSequenceNr, maxTimeStamp, minSequenceNr, minTimestamp);

    public SnapshotSelectionCriteria(long maxSequenceNr) : this(maxSequenceNr, DateTime.MaxValue) { }

    public long MaxSequenceNr { get; }
    public DateTime MaxTimeStamp { get; }
    public long MinSequenceNr { get; }
    public DateTime? MinTimestamp { get; }

    /// <summary>Every snapshot; loading takes the highest.</summary>
    public static SnapshotSelectionCriteria Latest { get; } = new(long.MaxValue, DateTime.MaxValue);

    /// <summary>No snapshot at all.</summary>
    public static SnapshotSelectionCriteria None { get; } = new(0L, DateTime.MinValue);

    internal SnapshotSelectionCriteria Limit(long toSequenceNr) =>
        toSequenceNr < MaxSequenceNr ? new(toSequenceNr, MaxTimeStamp, MinSequenceNr, MinTimestamp) : this;

    internal bool IsMatch(SnapshotMetadata metadata) =>
        metadata.SequenceNr <= MaxSequenceNr && metadata.Timestamp <= MaxTimeStamp;
}

/// <summary>Given to the actor at the start of its recovery, before any event.</summary>
public sealed record SnapshotOffer
{
    public SnapshotOffer(SnapshotMetadata metadata, object snapshot) => (Metadata, Snapshot) = (metadata, snapshot);

    public SnapshotMetadata Metadata { get; }
    public object Snapshot { get; }
}

/// <summary>A snapshot as the store returns it.</summary>
public sealed record SelectedSnapshot
{
    public SelectedSnapshot(SnapshotMetadata metadata, object snapshot) => (Metadata, Snapshot) = (metadata, snapshot);

    public SnapshotMetadata Metadata { get; }
    public object Snapshot { get; }
}

/// <summary>A message of the snapshot store's protocol.</summary>
public interface ISnapshotMessage : IPersistenceMessage;

/// <summary>A question to the snapshot store.</summary>
public interface ISnapshotRequest : ISnapshotMessage;

/// <summary>An answer of the snapshot store.</summary>
public interface ISnapshotResponse : ISnapshotMessage;

public sealed record LoadSnapshot(string PersistenceId, SnapshotSelectionCriteria Criteria, long ToSequenceNr) : ISnapshotRequest;

public sealed record LoadSnapshotResult(SelectedSnapshot? Snapshot, long ToSequenceNr) : ISnapshotResponse;

public sealed record LoadSnapshotFailed(Exception Cause) : ISnapshotResponse;

public sealed record SaveSnapshot(SnapshotMetadata Metadata, object Snapshot) : ISnapshotRequest;

public sealed record SaveSnapshotSuccess : ISnapshotResponse
{
    public SaveSnapshotSuccess(SnapshotMetadata metadata) => Metadata = metadata;

    public SnapshotMetadata Metadata { get; }
}

public sealed record SaveSnapshotFailure : ISnapshotResponse
{
    public SaveSnapshotFailure(SnapshotMetadata metadata, Exception cause) => (Metadata, Cause) = (metadata, cause);

    public SnapshotMetadata Metadata { get; }
    public Exception Cause { get; }
}

public sealed record DeleteSnapshot(SnapshotMetadata Metadata) : ISnapshotRequest;

public sealed record DeleteSnapshotSuccess : ISnapshotResponse
{
    public DeleteSnapshotSuccess(SnapshotMetadata metadata) => Metadata = metadata;

    public SnapshotMetadata Metadata { get; }
}

public sealed record DeleteSnapshotFailure : ISnapshotResponse
{
    public DeleteSnapshotFailure(SnapshotMetadata metadata, Exception cause) => (Metadata, Cause) = (metadata, cause);

    public SnapshotMetadata Metadata { get; }
    public Exception Cause { get; }
}

public sealed record DeleteSnapshots(string PersistenceId, SnapshotSelectionCriteria Criteria) : ISnapshotRequest;

public sealed record DeleteSnapshotsSuccess : ISnapshotResponse
{
    public DeleteSnapshotsSuccess(SnapshotSelectionCriteria criteria) => Criteria = criteria;

    public SnapshotSelectionCriteria Criteria { get; }
}

public sealed record DeleteSnapshotsFailure : ISnapshotResponse
{
    public DeleteSnapshotsFailure(SnapshotSelectionCriteria criteria, Exception cause) => (Criteria, Cause) = (criteria, cause);

    public SnapshotSelectionCriteria Criteria { get; }
    public Exception Cause { get; }
}
