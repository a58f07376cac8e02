using System.Diagnostics;
using System.Globalization;
using StorageActors.Benchmarks.Compare;
using StorageActors.Engine;
using StorageActors.Protocol;

namespace StorageActors.Benchmarks.Jobs;

/// <summary>The same commands on a store of a hundred layers and on one of ten thousand, in turns.</summary>
internal sealed class ScaleJob : IJob
{
    private const int AtOnce = 16;
    private const int Times = 25;

    public string Name => "scale";

    public string Title => "start, list, create and remove with 100 and with 10,000 layers";

    public async Task<IReadOnlyList<ResultTable>> RunAsync(Stage stage)
    {
        var stores = new List<Store>();
        try
        {
            foreach (var layers in (int[])[100, 10_000])
            {
                var store = new Store(stage, layers);
                stores.Add(store);
                await store.FillAsync().ConfigureAwait(false);
            }

            for (var round = -3; round < Times; round++) // The first warm up.
            {
                if (round == 0) stores.ForEach(static store => store.Forget());
                foreach (var store in stores) await store.StartAndStopAsync().ConfigureAwait(false);
            }

            foreach (var store in stores) await store.StartAsync().ConfigureAwait(false);
            for (var round = 0; round < Times; round++)
            {
                foreach (var store in stores) await store.UseAsync().ConfigureAwait(false);
            }
        }
        finally
        {
            foreach (var store in stores) await store.DisposeAsync().ConfigureAwait(false);
        }

        return [new ResultTable($"medians of {Times}, in turns", ["layers", "start", "first list", "list all", "create", "remove"], [.. stores.Select(static store => store.Row)])];
    }

    private sealed class Store(Stage stage, int layers) : IAsyncDisposable
    {
        private readonly string _root = stage.NewDirectory();
        private readonly Durations[] _durations = [new(), new(), new(), new(), new()];
        private StorageEngine? _engine;

        internal IReadOnlyList<string> Row => [layers.ToString("N0", CultureInfo.InvariantCulture), .. _durations.Select(static one => Comparison.Time(one.Median))];

        public async ValueTask DisposeAsync()
        {
            await StopAsync().ConfigureAwait(false);
            stage.Delete(_root);
        }

        internal async Task FillAsync()
        {
            await StartAsync().ConfigureAwait(false);
            await Parallel.ForEachAsync(Enumerable.Range(0, layers), new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (_, stop) =>
                await _engine!.Client.CreateAsync(null, new StoreProtocol.LayerSpec(), stop).ConfigureAwait(false)).ConfigureAwait(false);
            await StopAsync().ConfigureAwait(false);
        }

        internal void Forget()
        {
            for (var i = 0; i < _durations.Length; i++) _durations[i] = new Durations();
        }

        internal async Task StartAsync() => _engine = await OwnStore.StartAsync(_root).ConfigureAwait(false);

        internal async Task StartAndStopAsync()
        {
            stage.Settle();
            await MeasureAsync(0, StartAsync).ConfigureAwait(false);
            await MeasureAsync(1, () => _engine!.Client.ListLayersAsync()).ConfigureAwait(false);
            await StopAsync().ConfigureAwait(false);
        }

        internal async Task UseAsync()
        {
            LayerRecord? made = null;
            await MeasureAsync(2, () => _engine!.Client.ListLayersAsync()).ConfigureAwait(false);
            await MeasureAsync(3, async () => made = await _engine!.Client.CreateAsync(null).ConfigureAwait(false)).ConfigureAwait(false);
            await MeasureAsync(4, () => _engine!.Client.RemoveAsync(made!.Id)).ConfigureAwait(false);
        }

        private async Task StopAsync()
        {
            if (_engine is not null) await _engine.DisposeAsync().ConfigureAwait(false);
            _engine = null;
        }

        private async Task MeasureAsync(int which, Func<Task> work)
        {
            var started = Stopwatch.GetTimestamp();
            await work().ConfigureAwait(false);
            _durations[which].Add(Stopwatch.GetElapsedTime(started));
        }
    }
}
