using StorageActors.Drivers;
using StorageActors.Protocol;
using StorageActors.Settings;
using StorageActors.Store;

namespace StorageActors.Engine;

/// <summary>A look at what a store would be where there is none, which makes none. Blocks.</summary>
internal static class VacantRoot
{
    /// <summary>
    /// A driver tries what works here in a directory that goes again, on the same file system: in the root, or where that is not there either, in the nearest directory above it.
    /// </summary>
    /// <exception cref="StorageException">No store could be made here.</exception>
    internal static StoreProtocol.Info Inspect(StorageSettings settings, OpenDriver openDriver)
    {
        var above = settings.Root;
        while (!Directory.Exists(above)) above = Path.GetDirectoryName(above)!;
        try
        {
            ScratchRoot.Sweep(above);
            using var scratch = ScratchRoot.Make(above);
            var info = Look(settings, openDriver, scratch);
            scratch.Remove();
            return info;
        }
        catch (Exception e) when (OpenedStore.Refusal(e, above) is { } error)
        {
            throw new StorageException(error, e);
        }
    }

    private static StoreProtocol.Info Look(StorageSettings settings, OpenDriver openDriver, ScratchRoot scratch)
    {
        try
        {
            using var driver = openDriver(DriverFactory.NameOf(settings.Driver), settings with { Root = scratch.Path });
            return StoreFacts.TellVacant(settings, driver.Name, driver.Facts);
        }
        catch
        {
            scratch.TryRemove(); // Why no store could be made is what matters.
            throw;
        }
    }
}
