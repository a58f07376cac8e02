using StorageActors.Protocol;

namespace StorageActors.Cli.Output;

/// <summary>Durations as bars, one for each power of two.</summary>
internal static class Histogram
{
    private const int Longest = 50;

    /// <summary>Draws one under its heading; the longest bar is that of the range with the most durations, and none that has any is empty.</summary>
    internal static void Write(LatencyRecord latency, Printer output)
    {
        output.Line("");
        output.Line($"{latency.Kind} {latency.Name}, {latency.Measure}:");
        foreach (var line in Lines(latency.Buckets)) output.Line(line);
    }

    /// <summary>The bars, with what each stands for.</summary>
    internal static IEnumerable<string> Lines(IReadOnlyList<LatencyBucket> buckets)
    {
        if (buckets.Count == 0) yield break;
        var most = buckets.Max(static bucket => bucket.Count);
        var digits = $"{most}".Length;
        foreach (var bucket in buckets)
        {
            var length = (int)Math.Max(1, bucket.Count * Longest / most);
            yield return $"  up to {Human.Duration(bucket.UpToSeconds),8}  {$"{bucket.Count}".PadLeft(digits)}  {new string('#', length)}";
        }
    }
}
