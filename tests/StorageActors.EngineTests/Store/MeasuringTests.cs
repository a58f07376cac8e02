using StorageActors.Store;
using Xunit;

namespace StorageActors.EngineTests.Store;

public sealed class MeasuringTests
{
    [Fact]
    public void A_histogram_of_nothing_says_zero() =>
        Assert.Equal(new LatencySummary(0, default, default, default, default), new LatencyHistogram().Summarize());

    [Fact]
    public void Percentiles_are_at_most_an_eighth_too_long()
    {
        var histogram = new LatencyHistogram();
        for (var microseconds = 1; microseconds <= 1000; microseconds++) histogram.Record(TimeSpan.FromMicroseconds(microseconds));
        var summary = histogram.Summarize();
        Assert.Equal((1000, TimeSpan.FromMilliseconds(1), TimeSpan.FromMicroseconds(500500)), (summary.Count, summary.Longest, summary.Total));
        Assert.InRange(summary.Median, TimeSpan.FromMicroseconds(500), TimeSpan.FromMicroseconds(563));
        Assert.InRange(summary.P99, TimeSpan.FromMicroseconds(990), TimeSpan.FromMilliseconds(1));
    }

    [Fact]
    public void Every_duration_has_a_bucket_that_is_not_shorter_than_it()
    {
        var random = new Random(1);
        for (var round = 0; round < 2000; round++)
        {
            var duration = TimeSpan.FromTicks(random.NextInt64(1L << random.Next(1, 55)));
            var histogram = new LatencyHistogram();
            histogram.Record(duration);
            histogram.Record(TimeSpan.FromDays(30_000));
            Assert.InRange(histogram.Summarize().Median, duration, duration + (duration / 8) + TimeSpan.FromTicks(1));
        }
    }

    [Fact]
    public void A_lock_is_measured_for_all_operations_and_for_each()
    {
        using var metrics = new StoreMetrics();
        metrics.LockUsed("store", "commit", TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(3), TimeSpan.FromMicroseconds(10));
        metrics.LockUsed("store", "remove", null, TimeSpan.Zero, TimeSpan.FromMicroseconds(20));
        var latencies = metrics.Latencies();
        Assert.Equal(
            [("store", null, "wait", 2L), ("store", null, "rehearse", 1L), ("store", null, "hold", 2L), ("store", "commit", "wait", 1L), ("store", "commit", "rehearse", 1L), ("store", "commit", "hold", 1L), ("store", "remove", "wait", 1L), ("store", "remove", "hold", 1L)],
            latencies.Select(static latency => (latency.Name, latency.Operation, latency.Measure, latency.Count)));
        Assert.All(latencies, static latency => Assert.Equal(latency.Count, latency.Buckets.Sum(static bucket => bucket.Count)));
        var wait = latencies[0];
        Assert.InRange(wait.Buckets[^1].UpToSeconds, 0.003, 0.006);
        Assert.Equal(0.003, wait.LongestSeconds, 6);
    }

    [Fact]
    public void Counters_and_gauges_are_listed_by_name()
    {
        using var metrics = new StoreMetrics();
        metrics.Extracted(10);
        metrics.Extracted(5);
        metrics.MountsChanged(3, 5);
        metrics.MountsChanged(-1, -2);
        metrics.TrashBacklog(1, 100);
        metrics.OperationEnded("mount", "failed", TimeSpan.FromSeconds(1));
        Assert.Equal(
            new Dictionary<string, long> { ["extracted bytes"] = 15, ["leases"] = 3, ["mount failed"] = 1, ["mounts"] = 2, ["trash bytes"] = 100, ["trash trees"] = 1 },
            metrics.Counters().ToDictionary());
        Assert.Equal(["mount"], metrics.Latencies().Select(static latency => latency.Name));
    }
}
