using Akka.Actor;
using StorageActors.Archive.Apply;
using StorageActors.Protocol;

namespace StorageActors.DriverOperations;

/// <summary>Who wants to know how far an operation is: a flow, which hears <see cref="ExtractionAdvanced"/>.</summary>
internal sealed record ProgressTarget(TicketId Ticket, IActorRef Flow)
{
    /// <summary>Null without a ticket: nobody asked.</summary>
    internal static ProgressTarget? Of(TicketId? ticket, IActorRef flow) => ticket is { } known ? new ProgressTarget(known, flow) : null;

    internal IExtractionObserver Observe(TimeProvider time) => new ExtractionReporter(Ticket, Flow, time);
}
