namespace StorageActors.TestSupport.Aufs;

/// <summary>What the simulated kernel was asked to do.</summary>
internal enum AufsCall
{
    /// <summary>The first call of a mount.</summary>
    Mount,

    /// <summary>A remount that appends branches.</summary>
    Append,

    /// <summary>auplink.</summary>
    Flush,

    /// <summary>An unmount.</summary>
    Unmount,
}

/// <summary>One call: when it began and ended, in a count of beginnings and ends, and what it answered (auplink: its exit code).</summary>
internal sealed record AufsEvent(AufsCall Call, string Target, long Begin, long End, int Answer)
{
    /// <summary>Whether one began before the other had ended.</summary>
    internal bool Overlaps(AufsEvent other) => Begin < other.End && other.Begin < End;
}

/// <summary>The calls in the order in which they ended. For use from many threads.</summary>
internal sealed class AufsRecord
{
    private readonly Lock _lock = new();
    private readonly List<AufsEvent> _events = [];
    private readonly List<string> _violations = [];
    private long _clock;

    internal IReadOnlyList<AufsEvent> Events
    {
        get
        {
            lock (_lock) return [.. _events];
        }
    }

    /// <summary>What no caller may do, whatever the kernel would answer.</summary>
    internal IReadOnlyList<string> Violations
    {
        get
        {
            lock (_lock) return [.. _violations];
        }
    }

    internal long Begin() => Interlocked.Increment(ref _clock);

    internal void End(AufsCall call, string target, long begin, int answer)
    {
        lock (_lock) _events.Add(new AufsEvent(call, target, begin, Interlocked.Increment(ref _clock), answer));
    }

    internal void Violation(string what)
    {
        lock (_lock) _violations.Add(what);
    }
}
