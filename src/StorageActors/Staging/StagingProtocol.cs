using StorageActors.Archive.Apply;
using StorageActors.Drivers;
using StorageActors.Protocol;

namespace StorageActors.Staging;

/// <summary>
/// What flows say to the layers that they have made, by ticket, at the one address <c>/user/storage/staging</c>. Each command has one answer of its own, or
/// <see cref="Failed"/>. A flow ends each ticket that it began with <see cref="End"/>; when the flow itself ends, its tickets do.
/// </summary>
internal static class StagingProtocol
{
    /// <summary>Anything about one ticket.</summary>
    internal interface IForTicket
    {
        /// <summary>The ticket.</summary>
        TicketId Ticket { get; }
    }

    /// <summary>
    /// Has layers staged: all of them wait for their turn in order, or, when too much waits already, all are refused as busy. A part of a chain that was let
    /// in before is never refused.
    /// </summary>
    internal sealed record Begin(IReadOnlyList<Stage> Layers, bool LetIn);

    /// <summary>One layer to be staged. Answers <see cref="Staged"/>.</summary>
    /// <param name="Ticket">Its ticket.</param>
    /// <param name="Layer">Its id.</param>
    /// <param name="Parents">The layers below, nearest first; null when they are not known yet.</param>
    /// <param name="Source">Its tar; without one it is an empty writable layer.</param>
    /// <param name="Expect">What is expected of the tar.</param>
    /// <param name="Ids">Whose ids an empty layer has.</param>
    internal sealed record Stage(
        TicketId Ticket, LayerId Layer, IReadOnlyList<LayerLocation>? Parents, BlobSource? Source, StoreProtocol.Expectations Expect, IdMap? Ids = null) : IForTicket;

    /// <summary>The layer's content is there.</summary>
    /// <param name="Ticket">Its ticket.</param>
    /// <param name="Extracted">What was found; null for an empty layer.</param>
    /// <param name="Seconds">How long it took, without the wait for its turn.</param>
    internal sealed record Staged(TicketId Ticket, ExtractResult? Extracted, double Seconds) : IForTicket;

    /// <summary>The command was not carried out.</summary>
    internal sealed record Failed(TicketId Ticket, StorageError Error) : IForTicket;

    /// <summary>Settles what needs the layers below. Answers <see cref="Rebased"/>.</summary>
    internal sealed record Rebase(TicketId Ticket, IReadOnlyList<LayerLocation> Parents) : IForTicket;

    /// <summary>Settled.</summary>
    internal sealed record Rebased(TicketId Ticket, IReadOnlyList<string> Warnings) : IForTicket;

    /// <summary>Completes the directory, its record and its documents included. Answers <see cref="Finished"/>.</summary>
    internal sealed record Finish(TicketId Ticket, LayerRecord Record, IReadOnlyList<BigData> Documents) : IForTicket;

    /// <summary>Complete; the record says which documents there are.</summary>
    internal sealed record Finished(TicketId Ticket, LayerRecord Record) : IForTicket;

    /// <summary>Renames the directory into the store. Answers <see cref="Committed"/>.</summary>
    /// <param name="Ticket">Its ticket.</param>
    /// <param name="Parent">What has to be there still.</param>
    /// <param name="Durable">Whether the answer waits until the disk has this rename, and with it all that came before.</param>
    internal sealed record Commit(TicketId Ticket, LayerId? Parent, bool Durable) : IForTicket;

    /// <summary>Renamed.</summary>
    internal sealed record Committed(TicketId Ticket) : IForTicket;

    /// <summary>Stops what is done for the ticket, and takes away what is left of it. Answers <see cref="Ended"/>, also for a ticket that never began.</summary>
    internal sealed record End(TicketId Ticket) : IForTicket;

    /// <summary>Nothing is left but what was committed.</summary>
    internal sealed record Ended(TicketId Ticket) : IForTicket;

    /// <summary>From a staging to its parent: its content is there, or will not be; another one may begin.</summary>
    internal sealed record TurnOver(TicketId Ticket) : IForTicket;
}
