using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace StorageActors.Benchmarks.Compare;

/// <summary>How long each of many operations took.</summary>
internal sealed class Latencies
{
    private readonly ConcurrentBag<double> _seconds = [];

    internal int Count => _seconds.Count;

    /// <summary>Does something once; what fails does not count.</summary>
    internal async Task TimeAsync(Func<Task> operation)
    {
        var started = Stopwatch.GetTimestamp();
        await operation().ConfigureAwait(false);
        _seconds.Add(Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    /// <summary>Cells for a table: how many, median, 99th percentile, longest.</summary>
    internal IReadOnlyList<string> Cells()
    {
        var sorted = _seconds.Order().ToArray();
        return [sorted.Length.ToString(CultureInfo.InvariantCulture), Text(sorted, 0.5), Text(sorted, 0.99), Text(sorted, 1)];
    }

    /// <summary>The same percentiles as ratios of somebody else's.</summary>
    internal IReadOnlyList<string> Ratios(Latencies others)
    {
        var (ours, theirs) = (_seconds.Order().ToArray(), others._seconds.Order().ToArray());
        return [.. new[] { 0.5, 0.99, 1 }.Select(fraction => (At(ours, fraction) / At(theirs, fraction)).ToString("0.0000", CultureInfo.InvariantCulture))];
    }

    private static string Text(double[] sorted, double fraction) => (At(sorted, fraction) * 1000).ToString("0.00 ms", CultureInfo.InvariantCulture);

    private static double At(double[] sorted, double fraction) =>
        sorted.Length == 0 ? double.NaN : sorted[Math.Max(0, (int)Math.Ceiling(sorted.Length * fraction) - 1)];
}
