using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using StorageActors.Benchmarks.Compare;
using StorageActors.Benchmarks.Peers;
using StorageActors.Client;
using StorageActors.Protocol;
using StorageActors.TestSupport;

namespace StorageActors.Benchmarks.Jobs;

/// <summary>Many requesters make, mount, unmount, list, name, seal and remove layers for a while; afterwards nothing may be left of it in the process.</summary>
internal sealed class StormJob : IJob
{
    private const int Requesters = 8;
    private static readonly TimeSpan Warming = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan PeersShare = TimeSpan.FromSeconds(30);

    public string Name => "storm";

    public string Title => "eight requesters want everything at once";

    public async Task<IReadOnlyList<ResultTable>> RunAsync(Stage stage)
    {
        var tables = await OursAsync(stage).ConfigureAwait(false);
        if (!stage.IsAlone && Command.Find(ContainersStorage.Program) is not null) return [.. tables, await PeerAsync(stage).ConfigureAwait(false)];
        stage.Note($"{ContainersStorage.Program} is left out.");
        return tables;
    }

    private static async Task<IReadOnlyList<ResultTable>> OursAsync(Stage stage)
    {
        var root = stage.NewDirectory();
        var engine = await OwnStore.StartAsync(root).ConfigureAwait(false);
        try
        {
            var made = await engine.Client.CreateAsync(null).ConfigureAwait(false);
            var parent = (await engine.Client.SealAsync(made.Id).ConfigureAwait(false)).Id;
            await BlowAsync(engine.Client, parent, Warming, new Tally()).ConfigureAwait(false);
            var before = ProcessState.Read(root);
            var tally = new Tally();
            var started = Stopwatch.GetTimestamp();
            await BlowAsync(engine.Client, parent, stage.Duration, tally).ConfigureAwait(false);
            var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            var after = ProcessState.Read(root);
            return [tally.Table($"ours, by message, {Requesters} requesters, {seconds.ToString("0", CultureInfo.InvariantCulture)} s", seconds), ProcessState.Compare(before, after)];
        }
        finally
        {
            await engine.DisposeAsync().ConfigureAwait(false);
            stage.Delete(root);
        }
    }

    /// <summary>The storm; afterwards every layer that it made is gone again.</summary>
    private static async Task BlowAsync(StorageClient store, LayerId parent, TimeSpan duration, Tally tally)
    {
        using var over = new CancellationTokenSource(duration);
        await Task.WhenAll(Enumerable.Range(0, Requesters).Select(number => Task.Run(() => RequestAsync(store, parent, new Random(number), tally, over.Token), CancellationToken.None))).ConfigureAwait(false);
        foreach (var layer in (await store.ListLayersAsync(CancellationToken.None).ConfigureAwait(false)).Reverse().Where(layer => layer.Id != parent))
            await store.RemoveAsync(layer.Id, force: true, CancellationToken.None).ConfigureAwait(false);
    }

    private static async Task RequestAsync(StorageClient store, LayerId parent, Random random, Tally tally, CancellationToken over)
    {
        var layers = new List<LayerId>();
        while (!over.IsCancellationRequested)
        {
            if (layers.Count < 3)
            {
                await tally.CountAsync("create", async () => layers.Add((await store.CreateAsync(parent, stop: CancellationToken.None).ConfigureAwait(false)).Id)).ConfigureAwait(false);
                continue;
            }

            var layer = layers[random.Next(layers.Count)];
            switch (random.Next(10))
            {
                case < 4:
                    await tally.CountAsync("mount, unmount", async () => await (await store.MountAsync(layer, stop: CancellationToken.None).ConfigureAwait(false)).ReleaseAsync(CancellationToken.None).ConfigureAwait(false)).ConfigureAwait(false);
                    break;
                case < 6:
                    await tally.CountAsync("list", () => store.ListLayersAsync(CancellationToken.None)).ConfigureAwait(false);
                    break;
                case 6:
                    await tally.CountAsync("name", () => store.Channel.AskAsync<CatalogProtocol.Resolved>(new CatalogProtocol.ChangeNames(layer, null, [$"name-{random.Next(20)}"], [], Steal: true), CancellationToken.None)).ConfigureAwait(false);
                    break;
                case 7:
                    // Sealed or mounted by then, it is removed all the same.
                    await tally.CountAsync("seal, remove", async () =>
                    {
                        await store.SealAsync(layer, stop: CancellationToken.None).ConfigureAwait(false);
                        await store.RemoveAsync(layer, stop: CancellationToken.None).ConfigureAwait(false);
                    }).ConfigureAwait(false);
                    layers.Remove(layer);
                    break;
                default:
                    await tally.CountAsync("remove", () => store.RemoveAsync(layer, stop: CancellationToken.None)).ConfigureAwait(false);
                    layers.Remove(layer);
                    break;
            }
        }
    }

    private static async Task<ResultTable> PeerAsync(Stage stage)
    {
        var store = new ContainersStorage(stage.NewDirectory());
        try
        {
            var parent = store.Run("create-layer", "-r").Split('\n')[0].Trim();
            var (tally, duration) = (new Tally(), stage.Duration < PeersShare ? stage.Duration : PeersShare);
            using var over = new CancellationTokenSource(duration);
            var started = Stopwatch.GetTimestamp();
            await Task.WhenAll(Enumerable.Range(0, Requesters).Select(number => Task.Run(() => RequestAsync(store, parent, new Random(number), tally, over.Token), CancellationToken.None))).ConfigureAwait(false);
            var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            return tally.Table($"{ContainersStorage.Program}, a process each, {Requesters} side by side, {seconds.ToString("0", CultureInfo.InvariantCulture)} s", seconds);
        }
        finally
        {
            stage.Delete(store.Home);
        }
    }

    private static async Task RequestAsync(ContainersStorage store, string parent, Random random, Tally tally, CancellationToken over)
    {
        var layers = new List<string>();
        while (!over.IsCancellationRequested)
        {
            if (layers.Count < 3)
            {
                await tally.CountAsync("create", () => Task.Run(() => layers.Add(store.Run("create-layer", parent).Split('\n')[0].Trim()))).ConfigureAwait(false);
                continue;
            }

            var layer = layers[random.Next(layers.Count)];
            switch (random.Next(9))
            {
                case < 4:
                    await tally.CountAsync("mount, unmount", () => Task.Run(() =>
                    {
                        store.Run("mount", layer);
                        store.Run("unmount", layer);
                    })).ConfigureAwait(false);
                    break;
                case < 6:
                    await tally.CountAsync("list", () => Task.Run(() => store.Run("layers"))).ConfigureAwait(false);
                    break;
                case 6:
                    await tally.CountAsync("name", () => Task.Run(() => store.Run("add-names", "-n", $"name-{random.Next(1_000_000)}", layer))).ConfigureAwait(false);
                    break;
                default:
                    await tally.CountAsync("remove", () => Task.Run(() => store.Run("delete-layer", layer))).ConfigureAwait(false);
                    layers.Remove(layer);
                    break;
            }
        }
    }

    /// <summary>What was done, how long each took, and what went wrong.</summary>
    private sealed class Tally
    {
        private readonly ConcurrentDictionary<string, Latencies> _done = new(StringComparer.Ordinal);
        private readonly ConcurrentDictionary<string, int> _failed = new(StringComparer.Ordinal);

        internal async Task CountAsync(string what, Func<Task> work)
        {
            try
            {
                await _done.GetOrAdd(what, static _ => new Latencies()).TimeAsync(work).ConfigureAwait(false);
            }
            catch (Exception e) when (e is StorageException or InvalidOperationException)
            {
                _failed.AddOrUpdate(what, 1, static (_, count) => count + 1);
                Console.Error.WriteLine($"{what}: {e.Message}");
            }
        }

        internal ResultTable Table(string caption, double seconds) => new(
            caption, ["what", "done", "median", "p99", "longest", "a second", "errors"],
            [.. _done.OrderBy(static one => one.Key, StringComparer.Ordinal).Select(one => (IReadOnlyList<string>)
                [one.Key, .. one.Value.Cells(), (one.Value.Count / seconds).ToString("0.0", CultureInfo.InvariantCulture), _failed.GetValueOrDefault(one.Key).ToString(CultureInfo.InvariantCulture)])]);
    }
}
