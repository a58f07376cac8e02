using System.Diagnostics;
using System.Globalization;
using StorageActors.Benchmarks.Compare;
using StorageActors.Engine;
using StorageActors.Protocol;

namespace StorageActors.Benchmarks.Jobs;

/// <summary>The same commands on a store of a hundred layers and on one of ten thousand.</summary>
internal sealed class ScaleJob : IJob
{
    private const int AtOnce = 16;
    private const int Times = 25;
    private const int Starts = 25;

    public string Name => "scale";

    public string Title => "start, list, create and remove with 100 and with 10,000 layers";

    public async Task<IReadOnlyList<ResultTable>> RunAsync(Stage stage)
    {
        var rows = new List<IReadOnlyList<string>>();
        await MeasureAsync(stage, 10).ConfigureAwait(false);   // warms up
        foreach (var layers in (int[])[100, 10_000]) rows.Add(await MeasureAsync(stage, layers).ConfigureAwait(false));
        return [new ResultTable($"medians of {Times}", ["layers", "start", "first list", "list all", "create", "remove"], rows)];
    }

    private static async Task<IReadOnlyList<string>> MeasureAsync(Stage stage, int layers)
    {
        var root = stage.NewDirectory();
        var engine = await OwnStore.StartAsync(root).ConfigureAwait(false);
        try
        {
            await FillAsync(engine, layers).ConfigureAwait(false);
            var (starts, firsts) = (new Durations(), new Durations());
            for (var i = 0; i < Starts; i++)
            {
                await engine.DisposeAsync().ConfigureAwait(false);
                stage.Settle();
                var started = Stopwatch.GetTimestamp();
                engine = await OwnStore.StartAsync(root).ConfigureAwait(false);
                starts.Add(Stopwatch.GetElapsedTime(started));
                started = Stopwatch.GetTimestamp();
                await engine.Client.ListLayersAsync().ConfigureAwait(false);
                firsts.Add(Stopwatch.GetElapsedTime(started));
            }

            var store = engine.Client;
            var (lists, creates, removes) = (new Durations(), new Durations(), new Durations());
            for (var i = 0; i < Times; i++)
            {
                var at = Stopwatch.GetTimestamp();
                await store.ListLayersAsync().ConfigureAwait(false);
                lists.Add(Stopwatch.GetElapsedTime(at));
                at = Stopwatch.GetTimestamp();
                var made = await store.CreateAsync(null).ConfigureAwait(false);
                creates.Add(Stopwatch.GetElapsedTime(at));
                at = Stopwatch.GetTimestamp();
                await store.RemoveAsync(made.Id).ConfigureAwait(false);
                removes.Add(Stopwatch.GetElapsedTime(at));
            }

            return
            [
                layers.ToString("N0", CultureInfo.InvariantCulture), Comparison.Time(starts.Median), Comparison.Time(firsts.Median),
                Comparison.Time(lists.Median), Comparison.Time(creates.Median), Comparison.Time(removes.Median),
            ];
        }
        finally
        {
            await engine.DisposeAsync().ConfigureAwait(false);
            stage.Delete(root);
        }
    }

    private static Task FillAsync(StorageEngine engine, int layers) =>
        Parallel.ForEachAsync(Enumerable.Range(0, layers), new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (_, stop) =>
            await engine.Client.CreateAsync(null, new StoreProtocol.LayerSpec(), stop).ConfigureAwait(false));
}
