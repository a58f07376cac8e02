using System.Text;
using StorageActors.Drivers;
using StorageActors.Linux;
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
        var scratch = Path.Combine(above, $".storage-actors-{Guid.NewGuid():N}");
        try
        {
            var info = Look(settings, openDriver, scratch);
            Remove(scratch);
            return info;
        }
        catch (Exception e) when (OpenedStore.Refusal(e, above) is { } error)
        {
            throw new StorageException(error, e);
        }
    }

    private static StoreProtocol.Info Look(StorageSettings settings, OpenDriver openDriver, string scratch)
    {
        try
        {
            StoreRoot.Make(scratch);
            using var driver = openDriver(DriverFactory.NameOf(settings.Driver), settings with { Root = scratch });
            return StoreFacts.TellVacant(settings, driver.Name, driver.Facts);
        }
        catch
        {
            TryRemove(scratch);
            throw;
        }
    }

    /// <summary>Where nothing can be made nothing can be removed either, and why it could not be made is what matters.</summary>
    private static void TryRemove(string scratch)
    {
        try
        {
            Remove(scratch);
        }
        catch (LinuxException)
        {
            // What is left is hidden, and in nobody's way: a store is made beside it.
        }
    }

    private static void Remove(string scratch) => DirectoryTree.Remove(Libc.CurrentDirectory, Encoding.UTF8.GetBytes(scratch));
}
