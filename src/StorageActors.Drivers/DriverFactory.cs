using StorageActors.Drivers.Overlay;
using StorageActors.Drivers.Vfs;
using StorageActors.Protocol;

namespace StorageActors.Drivers;

/// <summary>Chooses and opens a store's driver.</summary>
internal static class DriverFactory
{
    private delegate ILayerDriver Opener(string root, DriverOptions options, string chosen);

    /// <summary>In order of preference.</summary>
    private static readonly (string Name, Opener Open)[] Drivers =
    [
        (OverlayDriver.DriverName, static (root, options, chosen) => new OverlayDriver(root, options, chosen)),
        (VfsDriver.DriverName, static (root, options, chosen) => new VfsDriver(root, options, chosen)),
    ];

    /// <summary>
    /// Opens the driver that was asked for; else the one whose layers are in the root already; else the first that works here. Refuses an unknown
    /// name, a root where several drivers left layers (opening one of them would look as if the other's were lost), and a machine on which none works.
    /// </summary>
    /// <param name="name">What was asked for (<c>overlay2</c> is the peers' name for <c>overlay</c>); null to choose.</param>
    /// <param name="root">The store's root, an existing directory.</param>
    /// <param name="options">Settings.</param>
    internal static ILayerDriver Open(string? name, string root, DriverOptions options)
    {
        root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));
        if (name is not null) return Named(name == "overlay2" ? OverlayDriver.DriverName : name)(root, options, "asked for");

        var prior = Drivers.Where(driver => HasLayers($"{root}/{driver.Name}")).Select(driver => driver.Name).ToList();
        if (prior.Count == 1) return Named(prior[0])(root, options, "its layers are here");
        if (prior.Count > 1)
        {
            throw DriverErrors.Refuse(StorageErrorCode.InvalidArgument, "open",
                $"{root} holds layers of several drivers: {string.Join(", ", prior)}. Say which one to use.", root);
        }

        var refusals = new List<string>();
        foreach (var (candidate, open) in Drivers)
        {
            try
            {
                return open(root, options, "the first that works here");
            }
            catch (PermanentDriverException e) when (e.Error.Code == StorageErrorCode.Unsupported)
            {
                refusals.Add($"{candidate}: {e.Error.Message}");
            }
        }

        throw DriverErrors.Refuse(StorageErrorCode.Unsupported, "open", $"No driver works on {root}. {string.Join(" ", refusals)}", root);
    }

    private static Opener Named(string name)
    {
        foreach (var driver in Drivers)
        {
            if (driver.Name == name) return driver.Open;
        }

        throw DriverErrors.Refuse(StorageErrorCode.InvalidArgument, "open",
            $"There is no driver \"{name}\"; these are: {string.Join(", ", Drivers.Select(driver => driver.Name))}.");
    }

    private static bool HasLayers(string home) =>
        Directory.Exists(home) && Directory.EnumerateDirectories(home).Any(path => Path.GetFileName(path) is not "l");
}
