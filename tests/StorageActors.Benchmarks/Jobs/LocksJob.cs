using System.Diagnostics;
using System.Globalization;
using Akka.Configuration;
using StorageActors.Benchmarks.Compare;
using StorageActors.Client;
using StorageActors.Engine;
using StorageActors.Protocol;

namespace StorageActors.Benchmarks.Jobs;

/// <summary>
/// What others wait for while eight large layers are applied at the same time, and how long the store's file lock is held. Then once more, while
/// containers begin and end as well, so that the lock is taken some hundred times, not eight.
/// </summary>
internal sealed class LocksJob : IJob
{
    private const int Layers = 8;

    /// <summary>So many containers may be on their way into the store at once, besides the layers.</summary>
    private const int Containers = 56;

    /// <summary>Between one container that comes and the next one.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(40);

    public string Name => "locks";

    public string Title => "list and mount while eight layers of 600 MB are applied";

    public async Task<IReadOnlyList<ResultTable>> RunAsync(Stage stage)
    {
        var (callers, locks) = await RunAsync(stage, isCrowded: false).ConfigureAwait(false);
        stage.Settle();
        var (crowdedCallers, crowdedLocks) = await RunAsync(stage, isCrowded: true).ConfigureAwait(false);
        return
        [
            new ResultTable("what a caller waits (bar: p99 below 10 ms)", Durations.Head, callers),
            new ResultTable("the store's file lock meanwhile, from the engine's own histogram", Durations.Head, locks),
            new ResultTable("the store's file lock while 25 containers a second begin as well (bar: p99 of hold below 1 ms)", Durations.Head, crowdedLocks),
            new ResultTable("what a caller waits then", Durations.Head, crowdedCallers),
        ];
    }

    private static async Task<(IReadOnlyList<IReadOnlyList<string>> Callers, IReadOnlyList<IReadOnlyList<string>> Locks)> RunAsync(Stage stage, bool isCrowded)
    {
        var blob = stage.Inputs.Large.Gzip;
        var root = stage.NewDirectory();
        var engine = await StorageEngine.StartAsync(ConfigurationFactory.ParseString(
            $$"""storage-actors { root = "{{root}}", durability = none, staging.parallelism = {{Layers + Containers}} }""")).ConfigureAwait(false);
        try
        {
            var store = engine.Client;
            var layer = (await store.CreateAsync(null).ConfigureAwait(false)).Id;
            await MeasureAsync(store, layer, Task.Delay(500), new Durations(), new Durations(), new Durations()).ConfigureAwait(false);   // warms up
            var (lists, mounts, unmounts) = (new Durations(), new Durations(), new Durations());
            var applies = Task.WhenAll(Enumerable.Range(0, Layers).Select(_ => (Task)store.ApplyAsync(blob)));
            var containers = isCrowded ? ComeAndGoAsync(store, applies) : Task.CompletedTask;
            await MeasureAsync(store, layer, applies, lists, mounts, unmounts).ConfigureAwait(false);
            await containers.ConfigureAwait(false);
            await applies.ConfigureAwait(false);

            var statistics = await store.Channel.AskAsync<StoreProtocol.Statistics>(new StoreProtocol.GetStatistics()).ConfigureAwait(false);
            return (
                [lists.ToRow("list layers"), mounts.ToRow("mount another layer"), unmounts.ToRow("unmount it")],
                [.. statistics.Latencies.Where(static latency => latency is { Kind: "lock", Operation: null }).Select(Row)]);
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

    /// <summary>
    /// A hold of the lock for each that comes, whether or not those before are in the journal, which waits for the disk. They go one after the other, as soon as the disk has it.
    /// </summary>
    private static async Task ComeAndGoAsync(StorageClient store, Task until)
    {
        var containers = new List<Task<LayerRecord>>();
        var going = Task.CompletedTask;
        while (!until.IsCompleted)
        {
            containers.Add(store.CreateAsync(null));
            if (going.IsCompleted) going = GoAsync(containers[0]);
            await Task.Delay(Pause).ConfigureAwait(false);
        }

        await going.ConfigureAwait(false);
        await Task.WhenAll(containers).ConfigureAwait(false);

        async Task GoAsync(Task<LayerRecord> container)
        {
            containers.RemoveAt(0);
            await store.RemoveAsync((await container.ConfigureAwait(false)).Id).ConfigureAwait(false);
        }
    }

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
