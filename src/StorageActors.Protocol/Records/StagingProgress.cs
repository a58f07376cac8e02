namespace StorageActors.Protocol;

/// <summary>Where an extraction stands, or another command that takes its time.</summary>
public enum StagingPhase
{
    /// <summary>Waits for admission.</summary>
    Queued,

    /// <summary>Reads the blob and makes the files.</summary>
    Extracting,

    /// <summary>Settles what needs the layers below.</summary>
    Rebasing,

    /// <summary>Makes the content durable.</summary>
    Syncing,

    /// <summary>Is renamed into the store.</summary>
    Committing,

    /// <summary>A check compares layers with their archives.</summary>
    Verifying,

    /// <summary>What was removed is deleted.</summary>
    Deleting,

    /// <summary>A layer's tar, or a kept blob, is written to where it was asked for.</summary>
    Writing,

    /// <summary>The tar of a writable layer is computed.</summary>
    Sealing,

    /// <summary>Is in the store; or what was asked for is done.</summary>
    Done,

    /// <summary>Was refused or cancelled; nothing is left of it.</summary>
    Failed,
}

/// <summary>
/// Published on the event stream of the actor system while a layer is staged, at most ten times a second for each ticket and once for each phase; also by a check, a
/// collection of garbage, a diff, the reading of a blob and the sealing of a layer that were given a ticket.
/// </summary>
/// <param name="Ticket">The extraction, or the command.</param>
/// <param name="Phase">Where it stands.</param>
/// <param name="BytesRead">Bytes of the blob read so far; of layers verified; deleted; of the tar or the blob written, of the tar computed.</param>
/// <param name="BytesTotal">How many there are, if it is known.</param>
/// <param name="Entries">Entries made, verified or written so far; of a diff that is put together as it came, only at its end.</param>
public sealed record StagingProgress(TicketId Ticket, StagingPhase Phase, long BytesRead, long? BytesTotal, long Entries);
