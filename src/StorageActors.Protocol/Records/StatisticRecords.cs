namespace StorageActors.Protocol;

/// <summary>A number that the store counts, since it was opened or now.</summary>
/// <param name="Name">What is counted: <c>mounts</c>, <c>extracted bytes</c>, …</param>
/// <param name="Value">How much.</param>
public sealed record CounterRecord(string Name, long Value);

/// <summary>How long something took, each time since the store was opened. Percentiles are at most an eighth too long.</summary>
/// <param name="Kind"><c>lock</c>, <c>queue</c> or <c>operation</c>.</param>
/// <param name="Name">Which: <c>store</c>, <c>extractions</c>, <c>mount</c>, …</param>
/// <param name="Operation">What a lock was taken for; none for all operations together.</param>
/// <param name="Measure"><c>wait</c>, <c>hold</c> or <c>duration</c>; <c>rehearse</c> is what went before a lock was asked for, so that it would not have to be waited for with the lock in hand.</param>
/// <param name="Count">How often.</param>
/// <param name="TotalSeconds">All together.</param>
/// <param name="MedianSeconds">Half of them took no longer.</param>
/// <param name="P99Seconds">All but one of a hundred took no longer.</param>
/// <param name="LongestSeconds">The longest.</param>
/// <param name="Buckets">How many there were up to each power of two, shortest first; those that none fell into are left out.</param>
public sealed record LatencyRecord(
    string Kind,
    string Name,
    string? Operation,
    string Measure,
    long Count,
    double TotalSeconds,
    double MedianSeconds,
    double P99Seconds,
    double LongestSeconds,
    IReadOnlyList<LatencyBucket> Buckets);

/// <summary>A range of durations.</summary>
/// <param name="UpToSeconds">The longest that belongs to it; it begins where the one before ends, at half of that.</param>
/// <param name="Count">How many fell into it.</param>
public sealed record LatencyBucket(double UpToSeconds, long Count);
