using System.Runtime.InteropServices;
using StorageActors.Catalog;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.Settings;

namespace StorageActors.Store;

/// <summary>The answer to <see cref="StoreProtocol.GetInfo"/>; the group <c>metrics</c> is what <c>stats</c> shows.</summary>
internal static class StoreFacts
{
    internal static StoreProtocol.Info Tell(OpenedStore store, StorageSettings settings, CatalogState catalog, int flows)
    {
        var services = store.Services;
        return new StoreProtocol.Info(services.Layout.Root, store.Format.StoreId, services.Driver.Name,
        [
            Fact("engine", "version", typeof(StoreFacts).Assembly.GetName().Version!.ToString(3)),
            Fact("engine", "runtime", RuntimeInformation.FrameworkDescription),
            Fact("engine", "disk format", store.Format.Format),
            Fact("engine", "process", Environment.ProcessId),
            Fact("engine", "running commands", flows),
            Fact("engine", "layers", catalog.LayerCount),
            Fact("engine", "images", catalog.ImageCount),
            Fact("kernel", "release", Libc.KernelRelease()),
            .. services.Driver.Facts,
            .. settings.ToFacts(),
            .. services.Metrics.Counters().Select(static counter => Fact("metrics", counter.Key, counter.Value)),
            .. services.Metrics.Latencies().Select(static latency => Fact("metrics", latency.Key, Summary(latency.Value))),
        ]);
    }

    private static string Summary(LatencySummary latency) => FormattableString.Invariant(
        $"{latency.Count} times, median {latency.Median.TotalMilliseconds:0.###} ms, p99 {latency.P99.TotalMilliseconds:0.###} ms, longest {latency.Longest.TotalMilliseconds:0.###} ms");

    private static StoreFact Fact(string group, string name, object value) => new(group, name, FormattableString.Invariant($"{value}"));
}
