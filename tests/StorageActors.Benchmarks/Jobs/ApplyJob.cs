using StorageActors.Benchmarks.Compare;
using StorageActors.Benchmarks.Inputs;
using StorageActors.Benchmarks.Peers;
using StorageActors.TestSupport;

namespace StorageActors.Benchmarks.Jobs;

/// <summary>One compressed tar becomes one layer of a fresh store.</summary>
internal sealed class ApplyJob(string name, Func<LayerInputs, LayerInput> choose, double peerBar, double tarBar, double? cpuBar = null) : IJob
{
    private const double ZstdBar = 1.1;
    private const double DurableBar = 1.6;

    public string Name => name;

    public string Title => name switch
    {
        "apply-small" => "apply a tree of more than 30,000 small files",
        "apply-rootfs" => "apply a Debian root file system",
        _ => "apply four files of 150 MB",
    };

    public async Task<IReadOnlyList<ResultTable>> RunAsync(Stage stage)
    {
        var input = choose(stage.Inputs);
        return
        [
            await CompareAsync(stage, "gzip", input.Gzip, "-xzpf", tarBar).ConfigureAwait(false),
            await CompareAsync(stage, "zstd", input.Zstd, "--zstd -xpf", ZstdBar).ConfigureAwait(false),
        ];
    }

    private Task<ResultTable> CompareAsync(Stage stage, string codec, string blob, string options, double bar)
    {
        var isGzip = codec == "gzip";
        return Comparison.RunAsync(stage, codec, stage.Present(
            (null, new StoreRun(stage, durable: false).Contestant("ours, unsynced", store => store.ApplyAsync(blob))),
            (null, new StoreRun(stage, durable: true).Contestant("ours, durable", store => store.ApplyAsync(blob)) with { IsVariant = true, Bar = DurableBar }),
            (ContainersStorage.Program, PeerRun.Contestant(stage, "containers-storage import-layer", home => new ContainersStorage(home).Import(blob))
                with { Bar = isGzip ? peerBar : null, CpuBar = isGzip ? cpuBar : null }),
            ("tar", PeerRun.Contestant(stage, $"tar {options}", home =>
                Command.Run("tar", ["--numeric-owner", .. options.Split(' '), blob, "-C", home])) with { Bar = bar })));
    }
}
