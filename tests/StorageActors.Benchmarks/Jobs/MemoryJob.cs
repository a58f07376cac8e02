using System.Globalization;
using StorageActors.Benchmarks.Compare;
using StorageActors.Benchmarks.Inputs;

namespace StorageActors.Benchmarks.Jobs;

/// <summary>How much larger the process gets while a layer of 1 GB is applied.</summary>
internal sealed class MemoryJob : IJob
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(5);

    public string Name => "memory";

    public string Title => "peak memory of applying a layer of 1 GB";

    public async Task<IReadOnlyList<ResultTable>> RunAsync(Stage stage)
    {
        var (small, large) = (stage.Inputs.Small.Tar, stage.Inputs.Large.Tar);
        var home = stage.NewDirectory();
        var blob = Path.Combine(home, "gigabyte.tar.gz");
        Shell.Run($"tar -C '{Path.GetDirectoryName(large)}' -cf - '{Path.GetFileName(large)}' '{Path.GetFileName(small)}' | gzip -1 >'{blob}'");
        var engine = await OwnStore.StartAsync(Path.Combine(home, "store")).ConfigureAwait(false);
        try
        {
            GC.Collect();
            var idle = Resident();
            var peak = idle;
            var applying = engine.Client.ApplyAsync(blob);
            while (!applying.IsCompleted)
            {
                peak = Math.Max(peak, Resident());
                await Task.Delay(Interval).ConfigureAwait(false);
            }

            var layer = await applying.ConfigureAwait(false);
            return
            [
                new ResultTable("resident memory, looked at every 5 ms (bar: 150 MB more than idle)", ["tar", "idle", "peak", "more"],
                    [[Megabytes(layer.Size!.Value), Megabytes(idle), Megabytes(peak), Megabytes(peak - idle)]]),
            ];
        }
        finally
        {
            await engine.DisposeAsync().ConfigureAwait(false);
            stage.Delete(home);
        }
    }

    private static long Resident() => long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[1], CultureInfo.InvariantCulture) * Environment.SystemPageSize;

    private static string Megabytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:F0} MB");
}
