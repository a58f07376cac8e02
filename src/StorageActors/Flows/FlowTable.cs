using Akka.Actor;
using StorageActors.Protocol;

namespace StorageActors.Flows;

/// <summary>The flows that run, and the tickets by which some of them can be cancelled; the supervisor's own, changed by it alone.</summary>
internal sealed class FlowTable
{
    private readonly Dictionary<IActorRef, IReadOnlyList<TicketId>> _flows = [];
    private readonly Dictionary<TicketId, IActorRef> _tickets = [];
    private long _started;

    internal int Count => _flows.Count;

    internal IReadOnlyCollection<IActorRef> All => _flows.Keys;

    /// <summary>A name that no other flow of this run has.</summary>
    internal string NewName(string operation) => FormattableString.Invariant($"{operation}-{++_started}");

    internal void Add(IActorRef flow, IReadOnlyList<TicketId> tickets)
    {
        _flows.Add(flow, tickets);
        foreach (var ticket in tickets) _tickets.TryAdd(ticket, flow);
    }

    internal void Remove(IActorRef flow)
    {
        if (!_flows.Remove(flow, out var tickets)) return;
        foreach (var ticket in tickets.Where(ticket => flow.Equals(_tickets.GetValueOrDefault(ticket)))) _tickets.Remove(ticket);
    }

    internal IActorRef? Find(TicketId ticket) => _tickets.GetValueOrDefault(ticket);
}
