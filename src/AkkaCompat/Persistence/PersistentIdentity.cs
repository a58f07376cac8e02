using Akka.Actor;

namespace Akka.Persistence;

/// <summary>Who persists, and through which plugins.</summary>
public interface IPersistentIdentity
{
    string PersistenceId { get; }
    string? JournalPluginId { get; }
    string? SnapshotPluginId { get; }
}

/// <summary>How far an actor goes back when it starts.</summary>
public interface IPersistenceRecovery
{
    Recovery Recovery { get; }
}

/// <summary>A stash that a persistent actor may use for its own purposes.</summary>
public interface IPersistenceStash : IWithUnboundedStash;

/// <summary>What replay is limited to: a snapshot criterion, a highest sequence number, a number of events.</summary>
public sealed class Recovery(SnapshotSelectionCriteria fromSnapshot, long toSequenceNr, long replayMax)
{
    public Recovery() : this(SnapshotSelectionCriteria.Latest) { }

    public Recovery(SnapshotSelectionCriteria fromSnapshot) : this(fromSnapshot, long.MaxValue) { }

    public Recovery(SnapshotSelectionCriteria fromSnapshot, long toSequenceNr) : this(fromSnapshot, toSequenceNr, long.MaxValue) { }

    /// <summary>The latest snapshot and everything after it.</summary>
    public static Recovery Default { get; } = new();

    /// <summary>No snapshot and no events; numbering still goes on behind the highest one stored.</summary>
    public static Recovery None { get; } = new(SnapshotSelectionCriteria.None, 0L);

    public SnapshotSelectionCriteria FromSnapshot { get; } = fromSnapshot;
    public long ToSequenceNr { get; } = toSequenceNr;
    public long ReplayMax { get; } = replayMax;
}

/// <summary>Given to the actor once, when recovery is complete and before its first command.</summary>
public sealed class RecoveryCompleted
{
    private RecoveryCompleted() { }

    public static RecoveryCompleted Instance { get; } = new();

    public override string ToString() => nameof(RecoveryCompleted);
}

/// <summary>The snapshot store or the journal stayed silent for longer than <c>recovery-event-timeout</c>.</summary>
public class RecoveryTimedOutException : AkkaException
{
    public RecoveryTimedOutException() { }

    public RecoveryTimedOutException(string message, Exception? cause = null) : base(message, cause) { }
}
