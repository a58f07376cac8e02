using System.Numerics;
using StorageActors.Protocol;

namespace StorageActors.Store;

/// <summary>
/// Durations in buckets of a power of two, each cut in eight, so that a percentile is at most an eighth too long. Safe to use from many threads,
/// without a lock.
/// </summary>
internal sealed class LatencyHistogram
{
    private const int SubBits = 3;
    private const int SubBuckets = 1 << SubBits;
    private readonly long[] _buckets = new long[64 * SubBuckets];
    private long _total;
    private long _longest;

    internal void Record(TimeSpan duration)
    {
        var nanoseconds = Math.Max(0, (long)duration.TotalNanoseconds);
        Interlocked.Increment(ref _buckets[IndexOf(nanoseconds)]);
        Interlocked.Add(ref _total, nanoseconds);
        for (var longest = Volatile.Read(ref _longest); nanoseconds > longest;)
        {
            var seen = Interlocked.CompareExchange(ref _longest, nanoseconds, longest);
            if (seen == longest) break;
            longest = seen;
        }
    }

    /// <summary>What was recorded up to now; records made meanwhile may be in it or not.</summary>
    internal LatencySummary Summarize()
    {
        var buckets = new long[_buckets.Length];
        for (var index = 0; index < buckets.Length; index++) buckets[index] = Volatile.Read(ref _buckets[index]);
        var count = buckets.Sum();
        var longest = Volatile.Read(ref _longest);
        return new LatencySummary(
            count, Span(Volatile.Read(ref _total)), Span(Percentile(buckets, count, 0.50, longest)), Span(Percentile(buckets, count, 0.99, longest)), Span(longest));
    }

    /// <summary>How many durations there were up to each power of two that any of them reached: for drawing.</summary>
    internal IReadOnlyList<LatencyBucket> Buckets()
    {
        var found = new List<LatencyBucket>();
        for (var first = 0; first < _buckets.Length; first += SubBuckets)
        {
            var count = 0L;
            for (var index = first; index < first + SubBuckets; index++) count += Volatile.Read(ref _buckets[index]);
            if (count > 0) found.Add(new LatencyBucket(UpperBound(first + SubBuckets - 1) / 1e9, count));
        }

        return found;
    }

    private static long Percentile(long[] buckets, long count, double fraction, long longest)
    {
        var rank = (long)Math.Ceiling(count * fraction);
        for (var index = 0; index < buckets.Length && rank > 0; index++)
        {
            rank -= buckets[index];
            if (rank <= 0) return Math.Min(UpperBound(index), longest);
        }

        return 0;
    }

    /// <summary>Below eight nanoseconds each has a bucket of its own; from there on the three bits after the highest choose it.</summary>
    private static int IndexOf(long nanoseconds)
    {
        if (nanoseconds < SubBuckets) return (int)nanoseconds;
        var exponent = BitOperations.Log2((ulong)nanoseconds);
        return ((exponent - SubBits + 1) << SubBits) + (int)((nanoseconds >> (exponent - SubBits)) & (SubBuckets - 1));
    }

    private static long UpperBound(int index)
    {
        if (index < SubBuckets) return index;
        var shift = (index >> SubBits) - 1;
        return ((SubBuckets + (long)(index & (SubBuckets - 1)) + 1) << shift) - 1;
    }

    private static TimeSpan Span(long nanoseconds) => TimeSpan.FromTicks(nanoseconds / TimeSpan.NanosecondsPerTick);
}

/// <summary>What a histogram has to say.</summary>
internal sealed record LatencySummary(long Count, TimeSpan Total, TimeSpan Median, TimeSpan P99, TimeSpan Longest);
