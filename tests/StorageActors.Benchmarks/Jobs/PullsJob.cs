using System.Diagnostics;
using System.Globalization;
using StorageActors.Benchmarks.Compare;
using StorageActors.Benchmarks.Peers;
using StorageActors.Engine;
using StorageActors.Protocol;
using StorageActors.TestSupport;

namespace StorageActors.Benchmarks.Jobs;

/// <summary>Sixteen layers come in side by side and four go, while somebody lists layers and somebody else mounts and unmounts one.</summary>
internal sealed class PullsJob : IJob
{
    private const int Imports = 16;
    private const int Removals = 4;
    private const int IdleSamples = 30;

    public string Name => "pulls";

    public string Title => "list and mount while sixteen layers come in and four go";

    public async Task<IReadOnlyList<ResultTable>> RunAsync(Stage stage)
    {
        var (tar, small) = (stage.Inputs.RootFs.Gzip, stage.Inputs.RootFs.Gzip);
        var ours = await OursAsync(stage, tar, small).ConfigureAwait(false);
        var rows = new List<IReadOnlyList<string>>(ours.Rows("ours"));
        if (stage.IsAlone || Command.Find(ContainersStorage.Program) is null)
        {
            stage.Note($"{ContainersStorage.Program} is left out.");
        }
        else
        {
            var peer = await PeerAsync(stage, tar, small).ConfigureAwait(false);
            rows.AddRange(peer.Rows(ContainersStorage.Program));
            rows.Add(["ours ÷ theirs, list", "", .. ours.List.Ratios(peer.List)]);
            rows.Add(["ours ÷ theirs, mount and unmount", "", .. ours.Mount.Ratios(peer.Mount)]);
            rows.Add(["ours ÷ theirs, list by a process", "", .. ours.Process.Ratios(peer.List)]);
        }

        return [new ResultTable($"{Imports} × {stage.Inputs.RootFs.Name}, gzip, {Removals} removals", ["who, what", "samples", "median", "p99", "longest"], rows)];
    }

    private static async Task<Measured> OursAsync(Stage stage, string tar, string small)
    {
        var root = stage.NewDirectory();
        var engine = await OwnStore.StartAsync(root).ConfigureAwait(false);
        try
        {
            var measured = new Measured();
            var store = engine.Client;
            var parent = await store.ApplyAsync(small).ConfigureAwait(false);
            var box = (await store.CreateAsync(parent.Id).ConfigureAwait(false)).Id;
            var going = new List<LayerId>();
            for (var i = 0; i < Removals; i++) going.Add((await store.ApplyAsync(small).ConfigureAwait(false)).Id);
            async Task MountAsync()
            {
                await using var lease = await store.MountAsync(box).ConfigureAwait(false);
            }

            await measured.RunAsync(
                stage,
                [.. Enumerable.Range(0, Imports).Select<int, Func<Task>>(_ => () => store.ApplyAsync(tar)), .. going.Select<LayerId, Func<Task>>(layer => () => store.RemoveAsync(layer))],
                () => store.ListLayersAsync(),
                MountAsync,
                OwnCommand.Find() is { } command ? () => Task.Run(() => Command.Run(command, "--root", root, "layers")) : null).ConfigureAwait(false);
            if (measured.Process.Count == 0) stage.Note("The list by a process is left out: build src/StorageActors.Cli in Release first.");
            var hold = (await store.Channel.AskAsync<StoreProtocol.Statistics>(new StoreProtocol.GetStatistics()).ConfigureAwait(false)).Latencies
                .Single(static latency => latency is { Kind: "lock", Operation: null, Measure: "hold" });
            stage.Note(string.Create(CultureInfo.InvariantCulture, $"The store's lock meanwhile: taken {hold.Count} times, p99 {hold.P99Seconds * 1000:0.000} ms, longest {hold.LongestSeconds * 1000:0.000} ms."));
            return measured;
        }
        finally
        {
            await engine.DisposeAsync().ConfigureAwait(false);
            stage.Delete(root);
        }
    }

    private static async Task<Measured> PeerAsync(Stage stage, string tar, string small)
    {
        var root = stage.NewDirectory();
        try
        {
            var measured = new Measured();
            var store = new ContainersStorage(root);
            var parent = store.Import(small);
            var box = store.Run("create-layer", "-r", parent).Split('\n')[0].Trim();
            var going = Enumerable.Range(0, Removals).Select(_ => store.Import(small)).ToList();
            await measured.RunAsync(
                stage,
                [.. Enumerable.Range(0, Imports).Select<int, Func<Task>>(_ => () => Task.Run(() => store.Import(tar))),
                    .. going.Select<string, Func<Task>>(layer => () => Task.Run(() => store.Run("delete-layer", layer)))],
                () => Task.Run(() => store.Run("layers")),
                () => Task.Run(() =>
                {
                    store.Run("mount", box);
                    store.Run("unmount", box);
                }),
                null).ConfigureAwait(false);
            return measured;
        }
        finally
        {
            stage.Delete(root);
        }
    }

    /// <summary>What one store showed.</summary>
    private sealed class Measured
    {
        private readonly Latencies _idleList = new();
        private readonly Latencies _idleMount = new();
        private double _seconds;

        internal Latencies List { get; } = new();

        internal Latencies Mount { get; } = new();

        internal Latencies Process { get; } = new();

        internal async Task RunAsync(Stage stage, IReadOnlyList<Func<Task>> work, Func<Task> list, Func<Task> mount, Func<Task>? process)
        {
            using var now = new CancellationTokenSource();
            await now.CancelAsync().ConfigureAwait(false);
            for (var i = 0; i < IdleSamples; i++)
            {
                await _idleList.SampleAsync(list, now.Token).ConfigureAwait(false);
                await _idleMount.SampleAsync(mount, now.Token).ConfigureAwait(false);
            }

            stage.Settle();
            using var done = new CancellationTokenSource();
            var started = Stopwatch.GetTimestamp();
            var samplers = new List<Task> { Task.Run(() => List.SampleAsync(list, done.Token)), Task.Run(() => Mount.SampleAsync(mount, done.Token)) };
            if (process is not null) samplers.Add(Task.Run(() => Process.SampleAsync(process, done.Token)));
            await Task.WhenAll(work.Select(static one => Task.Run(one))).ConfigureAwait(false);
            _seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            await done.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(samplers).ConfigureAwait(false);
        }

        internal IEnumerable<IReadOnlyList<string>> Rows(string who)
        {
            yield return [$"{who}, list, idle", .. _idleList.Cells()];
            yield return [$"{who}, list", .. List.Cells()];
            if (Process.Count > 0) yield return [$"{who}, list by a process", .. Process.Cells()];
            yield return [$"{who}, mount and unmount, idle", .. _idleMount.Cells()];
            yield return [$"{who}, mount and unmount", .. Mount.Cells()];
            yield return [$"{who}, all {Imports} imports and {Removals} removals", "1", _seconds.ToString("0.0 s", CultureInfo.InvariantCulture), "", ""];
        }
    }
}
