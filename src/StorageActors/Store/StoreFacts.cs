using System.Runtime.InteropServices;
using StorageActors.Catalog;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.Settings;

namespace StorageActors.Store;

/// <summary>What the store has to say of itself: the answers to <see cref="StoreProtocol.GetInfo"/> and <see cref="StoreProtocol.GetStatistics"/>.</summary>
internal static class StoreFacts
{
    internal static StoreProtocol.Info Tell(OpenedStore store, StorageSettings settings, CatalogState catalog, int flows, IReadOnlyList<StoreFact> driver)
    {
        var services = store.Services;
        return Tell(services.Layout.Root, store.Format.StoreId, services.Driver.Name, store.Format.Format, settings, driver,
        [
            Fact("engine", "process", Environment.ProcessId),
            Fact("engine", "running commands", flows),
            Fact("engine", "layers", catalog.LayerCount),
            Fact("engine", "images", catalog.ImageCount),
            .. settings.AdditionalStores.Count == 0 ? (StoreFact[])[] :
            [
                Fact("engine", "layers of additional stores", catalog.AdditionalCount.Layers), Fact("engine", "images of additional stores", catalog.AdditionalCount.Images),
            ],
        ]);
    }

    /// <summary>What a store would say that is not there; it has no identity.</summary>
    internal static StoreProtocol.Info TellVacant(StorageSettings settings, string driver, IReadOnlyList<StoreFact> facts) =>
        Tell(settings.Root, "", driver, StoreFormat.Current, settings, facts, []);

    private static StoreProtocol.Info Tell(
        string root, string storeId, string driver, int format, StorageSettings settings, IReadOnlyList<StoreFact> ofDriver, IReadOnlyList<StoreFact> ofEngine) => new(root, storeId, driver,
        [
            Fact("engine", "version", typeof(StoreFacts).Assembly.GetName().Version!.ToString(3)),
            Fact("engine", "runtime", RuntimeInformation.FrameworkDescription),
            Fact("engine", "disk format", format),
            .. ofEngine,
            Fact("kernel", "release", Libc.KernelRelease()),
            Fact("kernel", "user namespace", UserNamespace.OwnUsers() is { } users ? $"of its own: users {users}" : "the machine's"),
            .. ofDriver,
            .. settings.ToFacts(),
        ],
        new StoreLimits(Limit(settings.Limits.Size), Limit(settings.Limits.Entries), Limit(settings.Limits.Ratio), Limit(settings.Limits.RatioFrom)));

    private static long? Limit(long limit) => limit == long.MaxValue ? null : limit;

    /// <summary>The answer to <see cref="StoreProtocol.GetStatistics"/>.</summary>
    internal static StoreProtocol.Statistics Measure(StoreMetrics metrics) =>
        new([.. metrics.Counters().Select(static counter => new CounterRecord(counter.Key, counter.Value))], metrics.Latencies());

    private static StoreFact Fact(string group, string name, object value) => new(group, name, FormattableString.Invariant($"{value}"));
}
