using System.Globalization;
using StorageActors.Benchmarks.Compare;

namespace StorageActors.Benchmarks.Jobs;

/// <summary>Durations of one kind, for tables that show percentiles.</summary>
internal sealed class Durations
{
    private readonly List<double> _seconds = [];

    internal void Add(TimeSpan duration) => _seconds.Add(duration.TotalSeconds);

    internal static IReadOnlyList<string> Head => ["", "count", "p50", "p99", "longest"];

    internal IReadOnlyList<string> ToRow(string name)
    {
        _seconds.Sort();
        return
        [
            name, _seconds.Count.ToString(CultureInfo.InvariantCulture),
            Comparison.Time(At(0.50)), Comparison.Time(At(0.99)), Comparison.Time(_seconds[^1]),
        ];
    }

    internal double Median
    {
        get
        {
            _seconds.Sort();
            return At(0.50);
        }
    }

    private double At(double fraction) => _seconds[Math.Max(0, (int)Math.Ceiling(_seconds.Count * fraction) - 1)];
}
