using StorageActors.Drivers.Overlay;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Drivers.Probing;

/// <summary>What the overlay driver tells people about itself and what it found.</summary>
internal static class OverlayFacts
{
    internal static IReadOnlyList<StoreFact> Of(
        string root, OverlayAbilities abilities, IReadOnlyList<StoreFact> features, string? noIdMaps, DriverOptions options, string chosen) =>
    [
        new("driver", "name", $"{OverlayDriver.DriverName} ({chosen})"),
        new("driver", "mounts", Describe(abilities)),
        new("driver", "mount options", string.Join(',', abilities.Words.Select(OptionPlan.Text).Concat(options.MountOptions))),
        new("driver", "layers in a stack", abilities.Method == OverlayMethod.OptionString
            ? "about 140: a page of options" : $"{OverlayStack.MaximumLowers}"),
        new("driver", "diff", "native: redirects and metadata-only copies are off"),
        new("driver", "whiteouts", $"character devices 0:0, {OverlayAbilities.MarkPrefix(abilities.UserXattrs)}opaque{(abilities.UserXattrs ? " (userxattr: without root)" : "")}"),
        LayerRoot.Fact(options),
        new("kernel", "new mount API", YesNo(abilities.Method != OverlayMethod.OptionString)),
        new("kernel", "layers by descriptor", YesNo(abilities.Method == OverlayMethod.Descriptors)),
        new("kernel", "volatile mounts", YesNo(abilities.Volatile)),
        new("kernel", "overlay attributes inside layers", abilities.NestedXattrs ? "kept, escaped" : "dropped"),
        .. features,
        new("kernel", "layers with other ids", noIdMaps is null ? "yes" : $"no: {noIdMaps}"),
        new("file system", "type", StoreFileSystem.NameOf(Libc.StatFs(root).Type)),
        new("file system", "d_type", YesNo(true)),
        new("file system", abilities.UserXattrs ? "user xattrs" : "trusted xattrs", YesNo(true)),
        .. OverlayFeatures.Status(root, abilities, features),
    ];

    private static string Describe(OverlayAbilities abilities) => abilities.Method switch
    {
        OverlayMethod.Descriptors when abilities.Detached => "new mount API, layers by descriptor through a detached clone of the store's mount",
        OverlayMethod.Descriptors => "new mount API, layers by descriptor",
        OverlayMethod.Names => "new mount API, layers by name",
        _ => "mount(2), layers by short link",
    };

    private static string YesNo(bool value) => value ? "yes" : "no";
}
