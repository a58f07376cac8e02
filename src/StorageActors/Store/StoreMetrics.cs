using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using StorageActors.Protocol;

namespace StorageActors.Store;

/// <summary>
/// The store's instruments, on a meter named <c>StorageActors</c> for whoever listens, and in memory for <c>stats</c>. Safe to use from many threads.
/// </summary>
internal sealed class StoreMetrics : IDisposable
{
    internal const string MeterName = "StorageActors";

    private const string Lock = "lock";
    private const string Operation = "operation";

    private readonly Meter _meter = new(MeterName);
    private readonly Histogram<double> _lockRehearse;
    private readonly Histogram<double> _lockWait;
    private readonly Histogram<double> _lockHold;
    private readonly Histogram<double> _operations;
    private readonly Histogram<double> _admissionWait;
    private readonly Counter<long> _extractedBytes;
    private readonly ConcurrentDictionary<Subject, LatencyHistogram> _latencies = new();
    private readonly ConcurrentDictionary<string, StrongBox<long>> _counters = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<End, Ending> _endings = new();
    private long _mounts;
    private long _leases;
    private long _trashTrees;
    private long _trashBytes;

    internal StoreMetrics()
    {
        _lockRehearse = _meter.CreateHistogram<double>("storage_actors.lock.rehearse", "s", "Time that what is done under a lock was rehearsed before it was asked for");
        _lockWait = _meter.CreateHistogram<double>("storage_actors.lock.wait", "s", "Time until a lock was taken");
        _lockHold = _meter.CreateHistogram<double>("storage_actors.lock.hold", "s", "Time that a lock was held");
        _operations = _meter.CreateHistogram<double>("storage_actors.operation.duration", "s", "Time that a driver operation took");
        _admissionWait = _meter.CreateHistogram<double>("storage_actors.extraction.wait", "s", "Time that an extraction waited for its turn");
        _extractedBytes = _meter.CreateCounter<long>("storage_actors.extraction.bytes", "By", "Bytes of tar that were extracted");
        _meter.CreateObservableGauge("storage_actors.mounts", () => Volatile.Read(ref _mounts), description: "Mounted layers");
        _meter.CreateObservableGauge("storage_actors.leases", () => Volatile.Read(ref _leases), description: "Leases on them");
        _meter.CreateObservableGauge("storage_actors.trash.trees", () => Volatile.Read(ref _trashTrees), description: "Trees to be deleted");
        _meter.CreateObservableGauge("storage_actors.trash.bytes", () => Volatile.Read(ref _trashBytes), "By", "Bytes to be deleted");
    }

    /// <summary>A lock was taken for an operation and given back. <paramref name="rehearse"/>: what went before, if anything.</summary>
    internal void LockUsed(string name, string operation, TimeSpan? rehearse, TimeSpan wait, TimeSpan hold)
    {
        var tags = new TagList { { "lock", name }, { "operation", operation } };
        if (rehearse is { } before) _lockRehearse.Record(before.TotalSeconds, tags);
        _lockWait.Record(wait.TotalSeconds, tags);
        _lockHold.Record(hold.TotalSeconds, tags);
        foreach (var subject in (ReadOnlySpan<Subject>)[new(Lock, name, null, ""), new(Lock, name, operation, "")])
        {
            if (rehearse is { } rehearsed) Latency(subject with { Measure = "rehearse" }).Record(rehearsed);
            Latency(subject with { Measure = "wait" }).Record(wait);
            Latency(subject with { Measure = "hold" }).Record(hold);
        }
    }

    /// <summary>An extraction waited for its turn.</summary>
    internal void Admitted(TimeSpan wait)
    {
        _admissionWait.Record(wait.TotalSeconds);
        Latency(new Subject("queue", "extractions", null, "wait")).Record(wait);
    }

    /// <summary>A driver operation ended.</summary>
    internal void OperationEnded(string verb, string outcome, TimeSpan duration)
    {
        _operations.Record(duration.TotalSeconds, new TagList { { "verb", verb }, { "outcome", outcome } });
        var ending = _endings.GetOrAdd(new End(verb, outcome), static (end, all) => all.EndingOf(end), this);
        ending.Durations.Record(duration);
        Interlocked.Increment(ref ending.Count.Value);
    }

    /// <summary>A tar was extracted.</summary>
    internal void Extracted(long bytes)
    {
        _extractedBytes.Add(bytes);
        Interlocked.Add(ref Counter("extracted bytes").Value, bytes);
    }

    /// <summary>So much more is mounted than before, or less.</summary>
    internal void MountsChanged(long mounts, long leases)
    {
        if (mounts != 0) Interlocked.Add(ref _mounts, mounts);
        if (leases != 0) Interlocked.Add(ref _leases, leases);
    }

    /// <summary>So much waits to be deleted now.</summary>
    internal void TrashBacklog(long trees, long bytes)
    {
        Volatile.Write(ref _trashTrees, trees);
        Volatile.Write(ref _trashBytes, bytes);
    }

    /// <summary>Counters and gauges by name, sorted.</summary>
    internal IReadOnlyList<KeyValuePair<string, long>> Counters() =>
    [
        .. _counters.Select(static pair => new KeyValuePair<string, long>(pair.Key, Volatile.Read(ref pair.Value.Value))).Append(new("mounts", Volatile.Read(ref _mounts))).Append(new("leases", Volatile.Read(ref _leases)))
            .Append(new("trash trees", Volatile.Read(ref _trashTrees))).Append(new("trash bytes", Volatile.Read(ref _trashBytes)))
            .OrderBy(static pair => pair.Key, StringComparer.Ordinal),
    ];

    /// <summary>All histograms: locks first, then queues and operations, by name.</summary>
    internal IReadOnlyList<LatencyRecord> Latencies() =>
    [
        .. _latencies.OrderBy(static pair => pair.Key.Kind, StringComparer.Ordinal).ThenBy(static pair => pair.Key.Name, StringComparer.Ordinal)
            .ThenBy(static pair => pair.Key.Operation, StringComparer.Ordinal).ThenByDescending(static pair => pair.Key.Measure, StringComparer.Ordinal)
            .Select(static pair => Describe(pair.Key, pair.Value)),
    ];

    public void Dispose() => _meter.Dispose();

    private static LatencyRecord Describe(Subject subject, LatencyHistogram histogram)
    {
        var summary = histogram.Summarize();
        return new LatencyRecord(
            subject.Kind, subject.Name, subject.Operation, subject.Measure, summary.Count, summary.Total.TotalSeconds, summary.Median.TotalSeconds,
            summary.P99.TotalSeconds, summary.Longest.TotalSeconds, histogram.Buckets());
    }

    private LatencyHistogram Latency(Subject subject) => _latencies.GetOrAdd(subject, static _ => new LatencyHistogram());

    private StrongBox<long> Counter(string name) => _counters.GetOrAdd(name, static _ => new StrongBox<long>());

    private Ending EndingOf(End end) => new(Latency(new Subject(Operation, end.Verb, null, "duration")), Counter($"{end.Verb} {end.Outcome}"));

    /// <summary>What is measured: how long a lock was waited for, for all operations or for one of them; how long an operation took.</summary>
    private sealed record Subject(string Kind, string Name, string? Operation, string Measure);

    /// <summary>How an operation ended.</summary>
    private readonly record struct End(string Verb, string Outcome);

    /// <summary>What counts operations of a verb that ended alike: found once, since each of them asks for it.</summary>
    private sealed record Ending(LatencyHistogram Durations, StrongBox<long> Count);
}
