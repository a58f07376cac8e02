using StorageActors.Drivers.Aufs;
using StorageActors.Drivers.Overlay;
using StorageActors.Drivers.Probing;
using StorageActors.Drivers.Vfs;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Drivers;

/// <summary>Where each driver keeps a layer; without opening the driver, so that a store that is only read can say it, too.</summary>
internal static class LayerPlaces
{
    /// <summary>A layer's directories.</summary>
    /// <param name="driver">The driver's name.</param>
    /// <param name="layer">The layer; its directory is there.</param>
    /// <param name="parents">The layers below, nearest first.</param>
    internal static LayerMetadata Of(string driver, LayerLocation layer, IReadOnlyList<LayerLocation> parents) => DriverErrors.Guard("inspect", layer.Path, () =>
    {
        var status = Libc.Stat(layer.Path);
        var places = new LayerMetadata(
            driver, layer.Path, layer.Path + "/diff", null, null, [], StoreFileSystem.NameOf(Libc.StatFs(layer.Path).Type),
            FormattableString.Invariant($"{status.FileSystem.Major}:{status.FileSystem.Minor}"));
        return driver switch
        {
            OverlayDriver.DriverName => OfOverlay(LayerDirectory.Of(layer), parents, places),
            AufsDriver.DriverName => OfAufs(AufsDirectory.Of(layer), parents, places),
            VfsDriver.DriverName => places with { UpperDir = VfsLayer.Of(layer).Tree },
            _ => places,
        };
    });

    private static LayerMetadata OfOverlay(LayerDirectory layer, IReadOnlyList<LayerLocation> parents, LayerMetadata places) => places with
    {
        UpperDir = layer.Diff,
        WorkDir = layer.Work,
        MergedDir = layer.Merged,
        LowerDirs = [.. parents.Select(static parent => LayerDirectory.Of(parent).Diff)],
    };

    /// <summary>A layer without parents is not mounted: its branch is what its holder gets.</summary>
    private static LayerMetadata OfAufs(AufsDirectory layer, IReadOnlyList<LayerLocation> parents, LayerMetadata places) => places with
    {
        UpperDir = layer.Diff,
        MergedDir = parents.Count == 0 ? layer.Diff : layer.Mnt,
        LowerDirs = [.. parents.Select(static parent => AufsDirectory.Of(parent).Diff)],
    };
}
