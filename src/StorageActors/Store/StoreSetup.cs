using StorageActors.Settings;
using StorageActors.Transfers;

namespace StorageActors.Store;

/// <summary>What a store's supervisor is started with.</summary>
/// <param name="Settings">Its section of the configuration.</param>
/// <param name="Transfers">Its streams.</param>
/// <param name="OpenDriver">Makes its driver.</param>
/// <param name="Time">The clock.</param>
/// <param name="Socket">Where its node listens, if it has one, for whoever finds the store owned.</param>
internal sealed record StoreSetup(StorageSettings Settings, TransferTable Transfers, OpenDriver OpenDriver, TimeProvider Time, string? Socket);
