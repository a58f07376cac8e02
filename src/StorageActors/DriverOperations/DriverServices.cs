using StorageActors.Drivers;
using StorageActors.Store;
using StorageActors.Transfers;

namespace StorageActors.DriverOperations;

/// <summary>What operations run on; one for each store. Everything in it is safe to use from many threads.</summary>
internal sealed record DriverServices(
    ILayerDriver Driver,
    StoreLayout Layout,
    StoreLock Lock,
    StoreMetrics Metrics,
    TransferTable Transfers,
    StagedLayers Staged,
    TimeProvider Time)
{
    /// <summary>Layers that were filled and are not frozen yet.</summary>
    internal FilledLayers Filled { get; } = new();

    /// <summary>What removals may fall back on.</summary>
    internal StoreReserve Reserve { get; } = new(Layout.Root);
}
