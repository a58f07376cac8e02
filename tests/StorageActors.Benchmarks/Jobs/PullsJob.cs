using System.Globalization;
using StorageActors.Benchmarks.Compare;
using StorageActors.Benchmarks.Peers;
using StorageActors.Client;
using StorageActors.Protocol;
using StorageActors.TestSupport;

namespace StorageActors.Benchmarks.Jobs;

/// <summary>Many layers come in side by side and four go, while somebody lists layers and somebody else mounts and unmounts one.</summary>
internal sealed class PullsJob : IJob
{
    private const int Usual = 16;
    private const int Removals = 4;

    public string Name => "pulls";

    public string Title => "list and mount while sixteen layers come in and four go";

    public async Task<IReadOnlyList<ResultTable>> RunAsync(Stage stage)
    {
        var tar = stage.Inputs.RootFs.Gzip;
        var imports = stage.CountOr(Usual);
        var ours = await OursAsync(stage, tar, imports).ConfigureAwait(false);
        var rows = new List<IReadOnlyList<string>>(ours.Rows("ours"));
        if (stage.IsAlone || Command.Find(ContainersStorage.Program) is null)
        {
            stage.Note($"{ContainersStorage.Program} is left out.");
        }
        else
        {
            var peer = await PeerAsync(stage, tar, imports).ConfigureAwait(false);
            rows.AddRange(peer.Rows(ContainersStorage.Program));
            rows.AddRange(ours.Ratios(peer));
        }

        stage.Note("The unmount of a writable overlay has the kernel write out all that is dirty on the store's file system, whoever wrote it.");
        return
        [
            new ResultTable(
                string.Create(CultureInfo.InvariantCulture, $"{imports} × {stage.Inputs.RootFs.Name}, gzip, {Removals} removals"), ["who, what", "samples", "median", "p99", "longest"], rows),
        ];
    }

    private static async Task<PullsRun> OursAsync(Stage stage, string tar, int imports)
    {
        var root = stage.NewDirectory();
        var engine = await OwnStore.StartAsync(root).ConfigureAwait(false);
        try
        {
            var store = engine.Client;
            var parent = await store.ApplyAsync(tar).ConfigureAwait(false);
            var box = (await store.CreateAsync(parent.Id).ConfigureAwait(false)).Id;
            MountLease? lease = null;
            var run = new PullsRun(imports)
            {
                ImportAsync = async () => (await store.ApplyAsync(tar).ConfigureAwait(false)).Id.Value,
                RemoveAsync = layer => store.RemoveAsync(LayerId.Parse(layer)),
                ListAsync = () => store.ListLayersAsync(),
                ListByProcessAsync = () => Task.Run(() => Command.Run(OwnCommand.Path, "--root", root, "layers")),
                MountAsync = async () => lease = await store.MountAsync(box).ConfigureAwait(false),
                UnmountAsync = () => lease!.ReleaseAsync(),
            };
            await run.MeasureAsync(stage, Removals).ConfigureAwait(false);
            var hold = (await store.Channel.AskAsync<StoreProtocol.Statistics>(new StoreProtocol.GetStatistics()).ConfigureAwait(false)).Latencies
                .Single(static latency => latency is { Kind: "lock", Operation: null, Measure: "hold" });
            stage.Note(string.Create(CultureInfo.InvariantCulture, $"The store's lock meanwhile: taken {hold.Count} times, p99 {hold.P99Seconds * 1000:0.000} ms, longest {hold.LongestSeconds * 1000:0.000} ms."));
            return run;
        }
        finally
        {
            await engine.DisposeAsync().ConfigureAwait(false);
            stage.Delete(root);
        }
    }

    private static async Task<PullsRun> PeerAsync(Stage stage, string tar, int imports)
    {
        var root = stage.NewDirectory();
        try
        {
            var store = new ContainersStorage(root);
            var box = store.Run("create-layer", "-r", store.Import(tar)).Split('\n')[0].Trim();
            var run = new PullsRun(imports)
            {
                ImportAsync = () => Task.Run(() => store.Import(tar)),
                RemoveAsync = layer => Task.Run(() => store.Run("delete-layer", layer)),
                ListAsync = () => Task.Run(() => store.Run("layers")),
                MountAsync = () => Task.Run(() => store.Run("mount", box)),
                UnmountAsync = () => Task.Run(() => store.Run("unmount", box)),
            };
            await run.MeasureAsync(stage, Removals).ConfigureAwait(false);
            return run;
        }
        finally
        {
            stage.Delete(root);
        }
    }
}
