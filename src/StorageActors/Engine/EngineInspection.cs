using StorageActors.Protocol;
using StorageActors.Reading;
using StorageActors.Settings;
using StorageActors.Store;
using StorageActors.Transfers;

namespace StorageActors.Engine;

/// <summary>A look at a store and at what its driver can do here, by its owner of the moment, who starts no engine. Blocks.</summary>
internal static class EngineInspection
{
    /// <returns>Null when only an engine can say it.</returns>
    internal static StoreProtocol.Info? Run(StorageSettings settings, OpenDriver openDriver, TimeProvider time)
    {
        // Read before it is owned: what an owner reads need not agree with the directories.
        if (settings.HasOwnJournal && settings.AdditionalStores.Count == 0 && StoreRoot.IsVacant(settings.Root)) return VacantRoot.Inspect(settings, openDriver);
        if (!settings.HasOwnJournal || StoreReading.TryRead(settings.Root, withMounts: false) is not { } reading) return null;
        using var transfers = new TransferTable(time);
        using var store = OpenedStore.OpenWithoutJournal(settings, openDriver, transfers, time, socket: null);
        return StoreFacts.Tell(store, settings, reading.Catalog.Over(store.Additional), flows: 0, store.Services.Driver.Facts);
    }
}
