using StorageActors.Drivers;
using StorageActors.Drivers.Overlay;
using StorageActors.Linux;
using StorageActors.TestSupport;

namespace StorageActors.DriverContractTests;

/// <summary>The overlay driver, mounting in the way that suits the kernel best.</summary>
public abstract class OverlayContract : LayerDriverContract
{
    private protected override ILayerDriver OpenDriver(string root, DriverOptions options) => DriverFactory.Open("overlay", root, options);
}

/// <summary>On a journalled ext4.</summary>
public sealed class OverlayOnExt4Contract : OverlayContract
{
    protected override FileSystemKind FileSystem => FileSystemKind.Ext4;
}

/// <summary>On xfs.</summary>
public sealed class OverlayOnXfsContract : OverlayContract
{
    protected override FileSystemKind FileSystem => FileSystemKind.Xfs;
}

/// <summary>On btrfs.</summary>
public sealed class OverlayOnBtrfsContract : OverlayContract
{
    protected override FileSystemKind FileSystem => FileSystemKind.Btrfs;
}

/// <summary>As on a kernel that takes layers by name alone.</summary>
public sealed class OverlayByNameContract : OverlayContract
{
    protected override FileSystemKind FileSystem => FileSystemKind.Ext4;

    private protected override ILayerDriver OpenDriver(string root, DriverOptions options) =>
        base.OpenDriver(root, options with { OverlayMethod = OverlayMethod.Names });
}

/// <summary>As on a kernel that has only mount(2).</summary>
public sealed class OverlayByOptionStringContract : OverlayContract
{
    protected override FileSystemKind FileSystem => FileSystemKind.Ext4;

    protected override int MaximumLayers => 128;

    private protected override ILayerDriver OpenDriver(string root, DriverOptions options) =>
        base.OpenDriver(root, options with { OverlayMethod = OverlayMethod.OptionString });
}

/// <summary>With its marks in attributes of users, as in a user namespace; there, too, if the tests run in one, where no image of a disk can be mounted.</summary>
public sealed class OverlayUserXattrsContract : OverlayContract
{
    protected override FileSystemKind FileSystem => FileSystemKind.Ext4;

    private protected override ILayerDriver OpenDriver(string root, DriverOptions options) => base.OpenDriver(root, options with { UserXattrs = true });

    private protected override TempDirectory NewStore() => UserNamespace.IsOwn ? new TempDirectory() : base.NewStore();
}
