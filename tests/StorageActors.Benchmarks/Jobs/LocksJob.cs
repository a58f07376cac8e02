using System.Diagnostics;
using System.Globalization;
using Akka.Configuration;
using StorageActors.Benchmarks.Compare;
using StorageActors.Client;
using StorageActors.Engine;
using StorageActors.Protocol;

namespace StorageActors.Benchmarks.Jobs;

/// <summary>What others wait for while eight large layers are applied at the same time, and how long the store's file lock is held.</summary>
internal sealed class LocksJob : IJob
{
    private const int Layers = 8;

    public string Name => "locks";

    public string Title => "list and mount while eight layers of 600 MB are applied";

    public async Task<IReadOnlyList<ResultTable>> RunAsync(Stage stage)
    {
        var blob = stage.Inputs.Large.Gzip;
        var root = stage.NewDirectory();
        var engine = await StorageEngine.StartAsync(ConfigurationFactory.ParseString(
            $$"""storage-actors { root = "{{root}}", durability = none, staging.parallelism = {{Layers}} }""")).ConfigureAwait(false);
        try
        {
            var store = engine.Client;
            var layer = (await store.CreateAsync(null).ConfigureAwait(false)).Id;
            await MeasureAsync(store, layer, Task.Delay(500), new Durations(), new Durations(), new Durations()).ConfigureAwait(false);   // warms up
            var (lists, mounts, unmounts) = (new Durations(), new Durations(), new Durations());
            var applies = Task.WhenAll(Enumerable.Range(0, Layers).Select(_ => (Task)store.ApplyAsync(blob)));
            await MeasureAsync(store, layer, applies, lists, mounts, unmounts).ConfigureAwait(false);
            await applies.ConfigureAwait(false);

            var statistics = await store.Channel.AskAsync<StoreProtocol.Statistics>(new StoreProtocol.GetStatistics()).ConfigureAwait(false);
            var locks = statistics.Latencies.Where(static latency => latency is { Kind: "lock", Operation: null });
            return
            [
                new ResultTable("what a caller waits (bar: p99 below 10 ms)", Durations.Head, [lists.ToRow("list layers"), mounts.ToRow("mount another layer"), unmounts.ToRow("unmount it")]),
                new ResultTable("the store's file lock, from the engine's own histogram (bar: p99 of hold below 1 ms)", Durations.Head, [.. locks.Select(Row)]),
            ];
        }
        finally
        {
            await engine.DisposeAsync().ConfigureAwait(false);
            stage.Delete(root);
        }
    }

    private static IReadOnlyList<string> Row(LatencyRecord latency) =>
    [
        latency.Measure, latency.Count.ToString(CultureInfo.InvariantCulture), Comparison.Time(latency.MedianSeconds), Comparison.Time(latency.P99Seconds),
        Comparison.Time(latency.LongestSeconds),
    ];

    private static async Task MeasureAsync(StorageClient store, LayerId layer, Task until, Durations lists, Durations mounts, Durations unmounts)
    {
        while (!until.IsCompleted)
        {
            await TimeAsync(lists, () => store.ListLayersAsync()).ConfigureAwait(false);
            MountLease? lease = null;
            await TimeAsync(mounts, async () => lease = await store.MountAsync(layer).ConfigureAwait(false)).ConfigureAwait(false);
            await TimeAsync(unmounts, () => lease!.ReleaseAsync()).ConfigureAwait(false);
            await Task.Delay(5).ConfigureAwait(false);
        }
    }

    private static async Task TimeAsync(Durations durations, Func<Task> work)
    {
        var started = Stopwatch.GetTimestamp();
        await work().ConfigureAwait(false);
        durations.Add(Stopwatch.GetElapsedTime(started));
    }
}
