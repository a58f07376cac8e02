using System.Diagnostics;
using System.Globalization;
using StorageActors.Benchmarks.Compare;
using StorageActors.Client;
using StorageActors.Engine;
using StorageActors.Protocol;

namespace StorageActors.Benchmarks.Jobs;

/// <summary>
/// The nine benchmarks that moby has for its graph drivers, doing the same work by message. Its Diff is always against nothing, so ours writes the whole
/// tree; what it prepares and checks outside of its timers stays outside here, too.
/// </summary>
internal sealed class GraphDriverJob : IJob
{
    private const int Short = 500;
    private const int Long = 5;

    /// <summary>
    /// What moby's own overlay2 driver took for each, in its process: minimum and median in seconds of seven rounds of its benchmarks (moby 20.10.24, Go 1.19, ext4, two
    /// processors shared with other work). No program brings them, so they are given, not measured beside ours.
    /// </summary>
    private static readonly Dictionary<string, (double Minimum, double Median)> Moby = new(StringComparer.Ordinal)
    {
        ["Exists"] = (1.1e-6, 1.9e-6),
        ["GetEmpty"] = (3.3e-6, 3.7e-6),
        ["DiffBase"] = (55e-6, 84e-6),
        ["DiffSmallUpper"] = (1.3e-3, 4.2e-3),
        ["Diff10KFileUpper"] = (1.26, 1.94),
        ["Diff10KFilesBottom"] = (1.21, 1.72),
        ["DiffApply100"] = (32e-3, 51e-3),
        ["Diff20Layers"] = (3.5e-3, 4.5e-3),
        ["Read20Layers"] = (4.1e-6, 5.9e-6),
    };

    public string Name => "graphdriver";

    public string Title => "the nine benchmarks of moby's graph drivers, by message";

    public async Task<IReadOnlyList<ResultTable>> RunAsync(Stage stage)
    {
        var root = stage.NewDirectory();
        var engine = await OwnStore.StartAsync(root).ConfigureAwait(false);
        try
        {
            var run = new Run(engine.Client);
            var rows = new List<IReadOnlyList<string>>
            {
                await run.ExistsAsync().ConfigureAwait(false),
                await run.GetEmptyAsync().ConfigureAwait(false),
                await run.DiffAsync("DiffBase", Short, await run.BaseAsync(3).ConfigureAwait(false)).ConfigureAwait(false),
                await run.DiffAsync("DiffSmallUpper", Short, await run.UpperAsync(10, 10).ConfigureAwait(false)).ConfigureAwait(false),
                await run.DiffAsync("Diff10KFileUpper", Long, await run.UpperAsync(10, 10_000).ConfigureAwait(false)).ConfigureAwait(false),
                await run.DiffAsync("Diff10KFilesBottom", Long, await run.UpperAsync(10_000, 10).ConfigureAwait(false)).ConfigureAwait(false),
                await run.DiffApplyAsync().ConfigureAwait(false),
                await run.DiffAsync("Diff20Layers", Short, await run.TwentyAsync().ConfigureAwait(false)).ConfigureAwait(false),
                await run.ReadAsync().ConfigureAwait(false),
            };
            return [new ResultTable("overlay, unsynced, in process", ["", "times", "minimum", "median", "moby, minimum", "moby, median", "ratio of minima"], rows)];
        }
        finally
        {
            await engine.DisposeAsync().ConfigureAwait(false);
            stage.Delete(root);
        }
    }

    private sealed class Run(StorageClient store)
    {
        internal async Task<IReadOnlyList<string>> ExistsAsync()
        {
            var empty = (await store.CreateAsync(null).ConfigureAwait(false)).Id.Value;
            return await TimeAsync("Exists", Short, () => store.ResolveAsync(empty)).ConfigureAwait(false);
        }

        internal async Task<IReadOnlyList<string>> GetEmptyAsync()
        {
            var empty = (await store.CreateAsync(null).ConfigureAwait(false)).Id;
            MountLease? lease = null;
            return await TimeAsync(
                "GetEmpty", Short, async () => lease = await store.MountAsync(empty).ConfigureAwait(false), () => lease!.ReleaseAsync()).ConfigureAwait(false);
        }

        internal Task<IReadOnlyList<string>> DiffAsync(string name, int times, LayerId layer) => TimeAsync(name, times, () => ReadAllAsync(layer));

        internal async Task<IReadOnlyList<string>> DiffApplyAsync()
        {
            var below = await WrittenAsync(null, path => WriteFiles(path, 100, 3)).ConfigureAwait(false);
            var upper = await WrittenAsync(below, path => WriteFiles(path, 100, 6)).ConfigureAwait(false);
            LayerId fresh = default;
            return await TimeAsync("DiffApply100", Short / 10, ApplyAsync, before: async () => fresh = (await store.CreateAsync(below).ConfigureAwait(false)).Id)
                .ConfigureAwait(false);

            async Task ApplyAsync()
            {
                var download = await store.Channel.OpenDownloadAsync().ConfigureAwait(false);
                await using var tar = download.Stream.ConfigureAwait(false);
                var diff = store.Channel.AskAsync<StoreProtocol.DiffWritten>(
                    new StoreProtocol.WriteDiff(upper, null, new BlobTarget(Download: download.Id), Whole: true));
                await store.FillAsync(fresh, download.Stream).ConfigureAwait(false);
                await diff.ConfigureAwait(false);
            }
        }

        internal async Task<IReadOnlyList<string>> ReadAsync()
        {
            var at = await WrittenAsync(null, static path => File.WriteAllText(Path.Combine(path, "testfile.txt"), "hello world!")).ConfigureAwait(false);
            for (var i = 0; i < 20; i++) at = await WrittenAsync(at, path => WriteLayer(path, i)).ConfigureAwait(false);
            var lease = await store.MountAsync(at, MountOptions.Default with { ReadOnly = true }).ConfigureAwait(false);
            await using (lease.ConfigureAwait(false))
            {
                var file = Path.Combine(lease.Path, "testfile.txt");
                return await TimeAsync("Read20Layers", Short, () =>
                {
                    File.ReadAllBytes(file);
                    return Task.CompletedTask;
                }).ConfigureAwait(false);
            }
        }

        internal Task<LayerId> BaseAsync(int seed) => WrittenAsync(null, path => WriteBase(path, seed));

        internal async Task<LayerId> UpperAsync(int filesBelow, int files)
        {
            var below = await WrittenAsync(null, path => WriteFiles(path, filesBelow, 3)).ConfigureAwait(false);
            return await WrittenAsync(below, path => WriteFiles(path, files, 6)).ConfigureAwait(false);
        }

        internal async Task<LayerId> TwentyAsync()
        {
            var at = await BaseAsync(50).ConfigureAwait(false);
            for (var i = 0; i < 20; i++) at = await WrittenAsync(at, path => WriteLayer(path, i)).ConfigureAwait(false);
            return at;
        }

        private async Task<LayerId> WrittenAsync(LayerId? parent, Action<string> write)
        {
            var layer = (await store.CreateAsync(parent).ConfigureAwait(false)).Id;
            var lease = await store.MountAsync(layer).ConfigureAwait(false);
            write(lease.Path);
            await lease.DisposeAsync().ConfigureAwait(false);
            await store.SealAsync(layer).ConfigureAwait(false);
            return layer;
        }

        private async Task ReadAllAsync(LayerId layer)
        {
            var download = await store.Channel.OpenDownloadAsync().ConfigureAwait(false);
            await using var tar = download.Stream.ConfigureAwait(false);
            var diff = store.Channel.AskAsync<StoreProtocol.DiffWritten>(
                new StoreProtocol.WriteDiff(layer, null, new BlobTarget(Download: download.Id), Whole: true));
            await download.Stream.CopyToAsync(Stream.Null, 1 << 20).ConfigureAwait(false);
            await diff.ConfigureAwait(false);
        }

        private static async Task<IReadOnlyList<string>> TimeAsync(string name, int times, Func<Task> work, Func<Task>? after = null, Func<Task>? before = null)
        {
            var seconds = new List<double>();
            for (var i = -1; i < times; i++)
            {
                if (before is not null) await before().ConfigureAwait(false);
                var started = Stopwatch.GetTimestamp();
                await work().ConfigureAwait(false);
                if (i >= 0) seconds.Add(Stopwatch.GetElapsedTime(started).TotalSeconds);   // the first warms up
                if (after is not null) await after().ConfigureAwait(false);
            }

            seconds.Sort();
            var moby = Moby[name];
            return
            [
                name, times.ToString(CultureInfo.InvariantCulture), Comparison.Time(seconds[0]), Comparison.Time(seconds[seconds.Count / 2]),
                Comparison.Time(moby.Minimum), Comparison.Time(moby.Median), (seconds[0] / moby.Minimum).ToString("F2", CultureInfo.InvariantCulture),
            ];
        }
    }

    private static void WriteBase(string path, int seed)
    {
        Write(Path.Combine(path, "file-a"), 64, seed);
        Directory.CreateDirectory(Path.Combine(path, "dir-b"));
        Write(Path.Combine(path, "dir-b", "file-b"), 128, seed + 1);
        Write(Path.Combine(path, "file-c"), 128 * 128, seed + 2);
    }

    private static void WriteFiles(string path, int count, int seed)
    {
        for (var i = 0; i < count; i++)
        {
            var directory = Path.Combine(path, string.Create(CultureInfo.InvariantCulture, $"directory-{i / 100 * 100}"));
            if (i % 100 == 0) Directory.CreateDirectory(directory);
            Write(Path.Combine(directory, string.Create(CultureInfo.InvariantCulture, $"file-{i}")), 64, seed + i);
        }
    }

    private static void WriteLayer(string path, int number)
    {
        Write(Path.Combine(path, "top-id"), 64, number);
        var directory = Directory.CreateDirectory(Path.Combine(path, string.Create(CultureInfo.InvariantCulture, $"layer-{number}"))).FullName;
        Write(Path.Combine(directory, "layer-id"), 64, number);
        Write(Path.Combine(directory, "parent-id"), 64, number - 1);
    }

    private static void Write(string path, int length, int seed)
    {
        var content = new byte[length];
        for (var i = 0; i < length; i++) content[i] = (byte)((seed * 31) + (i * 7));   // the content is of no matter, only that layers differ
        File.WriteAllBytes(path, content);
        File.SetUnixFileMode(path, (UnixFileMode)0x1ed);
    }
}
