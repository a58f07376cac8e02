using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace StorageActors.Store;

/// <summary>
/// The store's instruments, on a meter named <c>StorageActors</c> for whoever listens, and in memory for <c>stats</c>. Safe to use from many threads.
/// </summary>
internal sealed class StoreMetrics : IDisposable
{
    internal const string MeterName = "StorageActors";

    private readonly Meter _meter = new(MeterName);
    private readonly Histogram<double> _lockWait;
    private readonly Histogram<double> _lockHold;
    private readonly Histogram<double> _operations;
    private readonly Counter<long> _extractedBytes;
    private readonly ConcurrentDictionary<string, LatencyHistogram> _latencies = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _counters = new(StringComparer.Ordinal);
    private long _mounts;
    private long _leases;
    private long _trashTrees;
    private long _trashBytes;

    internal StoreMetrics()
    {
        _lockWait = _meter.CreateHistogram<double>("storage_actors.lock.wait", "s", "Time until a lock was taken");
        _lockHold = _meter.CreateHistogram<double>("storage_actors.lock.hold", "s", "Time that a lock was held");
        _operations = _meter.CreateHistogram<double>("storage_actors.operation.duration", "s", "Time that a driver operation took");
        _extractedBytes = _meter.CreateCounter<long>("storage_actors.extraction.bytes", "By", "Bytes of tar that were extracted");
        _meter.CreateObservableGauge("storage_actors.mounts", () => Volatile.Read(ref _mounts), description: "Mounted layers");
        _meter.CreateObservableGauge("storage_actors.leases", () => Volatile.Read(ref _leases), description: "Leases on them");
        _meter.CreateObservableGauge("storage_actors.trash.trees", () => Volatile.Read(ref _trashTrees), description: "Trees to be deleted");
        _meter.CreateObservableGauge("storage_actors.trash.bytes", () => Volatile.Read(ref _trashBytes), "By", "Bytes to be deleted");
    }

    /// <summary>A lock was taken and given back.</summary>
    internal void LockUsed(string name, TimeSpan wait, TimeSpan hold)
    {
        var tag = new KeyValuePair<string, object?>("lock", name);
        _lockWait.Record(wait.TotalSeconds, tag);
        _lockHold.Record(hold.TotalSeconds, tag);
        Latency($"lock {name} wait").Record(wait);
        Latency($"lock {name} hold").Record(hold);
    }

    /// <summary>A driver operation ended.</summary>
    internal void OperationEnded(string verb, string outcome, TimeSpan duration)
    {
        _operations.Record(duration.TotalSeconds, new TagList { { "verb", verb }, { "outcome", outcome } });
        Latency(verb).Record(duration);
        Count($"{verb} {outcome}", 1);
    }

    /// <summary>A tar was extracted.</summary>
    internal void Extracted(long bytes)
    {
        _extractedBytes.Add(bytes);
        Count("extracted bytes", bytes);
    }

    /// <summary>So much is mounted now.</summary>
    internal void Mounted(long mounts, long leases)
    {
        Volatile.Write(ref _mounts, mounts);
        Volatile.Write(ref _leases, leases);
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
        .. _counters.Append(new("mounts", Volatile.Read(ref _mounts))).Append(new("leases", Volatile.Read(ref _leases)))
            .Append(new("trash trees", Volatile.Read(ref _trashTrees))).Append(new("trash bytes", Volatile.Read(ref _trashBytes)))
            .OrderBy(static pair => pair.Key, StringComparer.Ordinal),
    ];

    /// <summary>Histograms by name (<c>lock store hold</c>, <c>mount</c>), sorted.</summary>
    internal IReadOnlyList<KeyValuePair<string, LatencySummary>> Latencies() =>
    [
        .. _latencies.OrderBy(static pair => pair.Key, StringComparer.Ordinal)
            .Select(static pair => KeyValuePair.Create(pair.Key, pair.Value.Summarize())),
    ];

    public void Dispose() => _meter.Dispose();

    private LatencyHistogram Latency(string name) => _latencies.GetOrAdd(name, static _ => new LatencyHistogram());

    private void Count(string name, long by) => _counters.AddOrUpdate(name, by, (_, old) => old + by);
}
