using StorageActors.Protocol;

namespace StorageActors.Flows;

/// <summary>Publishes how far a flow is, at most ten times a second; nothing without a ticket. Part of the flow's actor.</summary>
internal sealed class FlowProgress(FlowContext store, TicketId? ticket, StagingPhase phase)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private long _bytes;
    private long _entries;
    private long? _last;

    /// <summary>Bytes that there are to be done; null when nobody knows.</summary>
    internal long? Total { get; set; } = 0;

    /// <summary>So much more is done.</summary>
    internal void Add(long bytes, long entries)
    {
        (_bytes, _entries) = (_bytes + bytes, _entries + entries);
        var now = store.Time.GetTimestamp();
        if (_last is { } last && store.Time.GetElapsedTime(last, now) < Interval) return;
        _last = now;
        Publish(phase);
    }

    /// <summary>So much is done in all; said as it comes, since whoever counts keeps the pace.</summary>
    internal void Reached(long bytes, long entries = 0)
    {
        (_bytes, _entries) = (bytes, entries);
        Publish(phase);
    }

    /// <summary>The last of it.</summary>
    /// <param name="how">Done or failed.</param>
    /// <param name="bytes">How much was done in all, where that was not counted on the way.</param>
    /// <param name="entries">The same of entries.</param>
    internal void End(StagingPhase how, long? bytes = null, long? entries = null)
    {
        (_bytes, _entries) = (bytes ?? _bytes, entries ?? _entries);
        Publish(how);
    }

    private void Publish(StagingPhase now)
    {
        if (ticket is { } known) store.Publish(new StagingProgress(known, now, _bytes, Total, _entries));
    }
}
