using System.Globalization;
using StorageActors.Benchmarks.Compare;
using StorageActors.Benchmarks.Inputs;
using StorageActors.Benchmarks.Peers;

namespace StorageActors.Benchmarks.Jobs;

/// <summary>The same content goes into eight layers at once; none of them is shared, as no digest is expected.</summary>
internal sealed class ParallelJob : IJob
{
    private const int Layers = 8;

    public string Name => "parallel";

    public string Title => "eight applies of a Debian root file system at once, gzip";

    public async Task<IReadOnlyList<ResultTable>> RunAsync(Stage stage)
    {
        var blob = stage.Inputs.RootFs.Gzip;
        return
        [
            await Comparison.RunAsync(stage, "until the last is done", stage.Present(
                (null, new StoreRun(stage, durable: false).Contestant(
                    "ours, unsynced", store => Task.WhenAll(Enumerable.Range(0, Layers).Select(_ => (Task)store.ApplyAsync(blob))))),
                (ContainersStorage.Program, PeerRun.Contestant(stage, "containers-storage import-layer, 8 processes", home =>
                    AllAtOnce(new ContainersStorage(home).CommandLine($"import-layer -f '{blob}'"))) with { Bar = 0.45 }),
                ("tar", PeerRun.Contestant(stage, "tar -xzpf, 8 processes", home =>
                    AllAtOnce($"mkdir '{home}/$i'; tar --numeric-owner -xzpf '{blob}' -C '{home}/$i'".Replace("'" + home + "/$i'", $"\"{home}/$i\"", StringComparison.Ordinal))) with { Bar = 1.1 })))
                .ConfigureAwait(false),
        ];
    }

    /// <summary>Starts the line eight times, with $i, and fails when one of them does.</summary>
    private static void AllAtOnce(string line) => Shell.Run(string.Create(
        CultureInfo.InvariantCulture,
        $"for i in $(seq {Layers}); do ( {line} ) >/dev/null & pids=\"${{pids:-}} $!\"; done; for pid in $pids; do wait $pid; done"));
}
