namespace StorageActors.Protocol;

/// <summary>Where an extraction stands.</summary>
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

    /// <summary>Is in the store.</summary>
    Done,

    /// <summary>Was refused or cancelled; nothing is left of it.</summary>
    Failed,
}

/// <summary>Published on the event stream of the actor system while a layer is staged, at most ten times a second for each ticket and once for each phase.</summary>
/// <param name="Ticket">The extraction.</param>
/// <param name="Phase">Where it stands.</param>
/// <param name="BytesRead">Bytes of the blob read so far.</param>
/// <param name="BytesTotal">Length of the blob, if it is known.</param>
/// <param name="Entries">Entries made so far.</param>
public sealed record StagingProgress(TicketId Ticket, StagingPhase Phase, long BytesRead, long? BytesTotal, long Entries);
