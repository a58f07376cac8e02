using System.Collections.Immutable;
using StorageActors.Protocol;

namespace StorageActors.Staging;

/// <summary>Whose turn it is: so many run, the rest wait in order. Immutable; its transitions are pure.</summary>
/// <param name="Parallelism">How many run at a time.</param>
/// <param name="Bound">How many may wait before a newcomer is refused. What is let in is let in as a whole, so more may wait.</param>
internal sealed record Admission(int Parallelism, int Bound)
{
    private ImmutableHashSet<TicketId> Running { get; init; } = ImmutableHashSet<TicketId>.Empty;

    private ImmutableList<TicketId> Waiting { get; init; } = ImmutableList<TicketId>.Empty;

    internal int WaitingCount => Waiting.Count;

    internal int RunningCount => Running.Count;

    internal bool Knows(TicketId ticket) => Running.Contains(ticket) || Waiting.Contains(ticket);

    /// <summary>Null when too much waits.</summary>
    internal Admission? Enter(IReadOnlyList<TicketId> tickets, bool letIn) =>
        letIn || Waiting.Count < Bound || Running.Count < Parallelism ? this with { Waiting = Waiting.AddRange(tickets) } : null;

    /// <summary>The ticket needs its turn no more, or no turn at all.</summary>
    internal Admission Leave(TicketId ticket) => this with { Running = Running.Remove(ticket), Waiting = Waiting.Remove(ticket) };

    /// <summary>Lets those run whose turn it is now.</summary>
    internal (Admission Next, IReadOnlyList<TicketId> Started) Proceed()
    {
        var free = Math.Clamp(Parallelism - Running.Count, 0, Waiting.Count);
        if (free == 0) return (this, []);
        var started = Waiting.GetRange(0, free);
        return (this with { Running = Running.Union(started), Waiting = Waiting.RemoveRange(0, free) }, started);
    }
}
