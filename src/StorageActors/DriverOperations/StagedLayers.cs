using System.Collections.Concurrent;
using StorageActors.Drivers;
using StorageActors.Protocol;
using StorageActors.Store;

namespace StorageActors.DriverOperations;

/// <summary>
/// The layers being made, by ticket: a driver's notes on one (<see cref="StagedLayer.DriverState"/>) and its lock do not travel in messages. An entry
/// belongs to the actor that owns the ticket, which has operations run on it one after the other.
/// </summary>
internal sealed class StagedLayers : IDisposable
{
    private readonly ConcurrentDictionary<TicketId, LockedStaging> _stagings = new();

    /// <summary>The staging of a ticket; null when there is none.</summary>
    internal LockedStaging? Find(TicketId ticket) => _stagings.GetValueOrDefault(ticket);

    /// <summary>The layer being made under a ticket.</summary>
    internal StagedLayer this[TicketId ticket] =>
        Find(ticket)?.Layer ?? throw new InvalidOperationException($"ticket {ticket} is not being staged");

    internal void Add(TicketId ticket, LockedStaging staging)
    {
        if (!_stagings.TryAdd(ticket, staging)) throw new InvalidOperationException($"ticket {ticket} is taken");
    }

    /// <summary>Forgets the ticket and gives its lock back: whatever is left of its directory may be swept from now on.</summary>
    internal void Remove(TicketId ticket)
    {
        if (_stagings.TryRemove(ticket, out var staging)) staging.Lock.Dispose();
    }

    public void Dispose()
    {
        foreach (var ticket in _stagings.Keys) Remove(ticket);
    }
}
