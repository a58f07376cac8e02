using StorageActors.Cli.Output;
using StorageActors.Protocol;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.EndToEndTests.Cli;

public sealed class StatsTests : IAsyncLifetime
{
    private readonly CliStore _store = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _store.DisposeAsync();

    [SkippableFact]
    public async Task A_node_says_how_long_its_lock_was_waited_for_and_held()
    {
        RequiredTiers.SkipUnlessRoot();
        await _store.StartNodeAsync();
        (await _store.FeedAsync(Tars.Of(("a", "1")), "apply", "--id", "base")).Exits(0);
        (await _store.RunAsync("create", "--id", "box")).Exits(0);
        (await _store.RunAsync("rm", "box")).Exits(0);

        var text = (await _store.RunAsync("stats")).Exits(0).Text;
        Assert.Matches(@"(?m)^lock store +commit layer +hold +2 ", text);
        Assert.Matches(@"(?m)^lock store +remove layer +wait +1 ", text);
        Assert.Matches(@"(?m)^lock store, hold:\n  up to +[0-9.]+ (ns|µs|ms|s)  [0-9]+  #+$", text);

        var latencies = (await _store.RunAsync("stats", "--json")).Exits(0).Json.GetProperty("latencies").EnumerateArray().ToList();
        var hold = latencies.Single(static latency => latency.GetProperty("measure").GetString() == "hold" && !latency.TryGetProperty("operation", out _));
        Assert.Equal(3, hold.GetProperty("count").GetInt32());
        Assert.Equal(3, hold.GetProperty("buckets").EnumerateArray().Sum(static bucket => bucket.GetProperty("count").GetInt32()));
    }

    [Fact]
    public void Bars_are_as_long_as_what_they_stand_for_and_none_is_empty() => Assert.Equal(
        ["  up to  64.0 ns     1  #", "  up to   1.0 ms  1000  " + new string('#', 50), "  up to    2.0 s   500  " + new string('#', 25)],
        Histogram.Lines([new LatencyBucket(64e-9, 1), new LatencyBucket(1e-3, 1000), new LatencyBucket(2, 500)]));
}
