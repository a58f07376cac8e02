using System.Text;
using StorageActors.Drivers.Aufs;
using StorageActors.Drivers.Overlay;
using StorageActors.Drivers.Vfs;
using StorageActors.Linux;
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
        (AufsDriver.DriverName, static (root, options, chosen) => new AufsDriver(root, options, chosen)),
        (VfsDriver.DriverName, static (root, options, chosen) => new VfsDriver(root, options, chosen)),
    ];

    /// <summary>The driver's own name for one that people use: <c>overlay2</c> is <c>overlay</c>'s with the peers. Null stays null, and an unknown name itself.</summary>
    internal static string? NameOf(string? name) => name == "overlay2" ? OverlayDriver.DriverName : name;

    /// <summary>Whether a directory of a store's root is called as the home of a driver is.</summary>
    internal static bool IsHome(string name) => Drivers.Any(driver => driver.Name == name);

    /// <summary>Whether it is the home of a driver, and holds no layer.</summary>
    internal static bool IsEmptyHome(string root, string name) => IsHome(name) && !HasLayers($"{root}/{name}");

    /// <summary>
    /// Opens the driver that was asked for; else the one whose layers are in the root already; else the first that works here. Refuses an unknown
    /// name, a root where several drivers left layers (opening one of them would look as if the other's were lost), and a machine on which none works.
    /// </summary>
    /// <param name="name">What was asked for; null to choose.</param>
    /// <param name="root">The store's root, an existing directory.</param>
    /// <param name="options">Settings.</param>
    /// <param name="why">Why it is asked for, for <c>info</c>.</param>
    internal static ILayerDriver Open(string? name, string root, DriverOptions options, string why = "asked for")
    {
        root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));
        if (NameOf(name) is { } wanted) return Named(wanted)(root, options, why);

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
                return open(root, options, string.Join(" ", ["the first that works here;", .. refusals]).TrimEnd(';'));
            }
            catch (PermanentDriverException e) when (e.Error.Code == StorageErrorCode.Unsupported)
            {
                refusals.Add($"{candidate}: {e.Error.Message}");
                RemoveEmptyHome(root, candidate);
            }
        }

        throw DriverErrors.Refuse(StorageErrorCode.Unsupported, "open", $"No driver works on {root}. {string.Join(" ", refusals)}", root);
    }

    /// <summary>Takes away the homes of drivers that have nothing in them.</summary>
    internal static void RemoveEmptyHomes(string root)
    {
        foreach (var (name, _) in Drivers) RemoveEmptyHome(root, name);
    }

    /// <summary>What a driver made before it found that it does not work here; rmdir takes nothing else.</summary>
    private static void RemoveEmptyHome(string root, string name)
    {
        foreach (var path in new[] { $"{root}/{name}/l", $"{root}/{name}" })
            Libc.TryUnlinkAt(Libc.CurrentDirectory, Encoding.UTF8.GetBytes(path), AtFlags.RemoveDirectory);
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
