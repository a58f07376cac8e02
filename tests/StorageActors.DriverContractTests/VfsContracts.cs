using StorageActors.Drivers;
using StorageActors.TestSupport;

namespace StorageActors.DriverContractTests;

/// <summary>The vfs driver, which copies.</summary>
public abstract class VfsContract : LayerDriverContract
{
    private protected override ILayerDriver OpenDriver(string root, DriverOptions options) => DriverFactory.Open("vfs", root, options);
}

/// <summary>On ext4, where every copy is a full one.</summary>
public sealed class VfsOnExt4Contract : VfsContract
{
    protected override FileSystemKind FileSystem => FileSystemKind.Ext4;
}

/// <summary>On xfs, where copies share blocks.</summary>
public sealed class VfsOnXfsContract : VfsContract
{
    protected override FileSystemKind FileSystem => FileSystemKind.Xfs;
}

/// <summary>On btrfs, where copies share blocks.</summary>
public sealed class VfsOnBtrfsContract : VfsContract
{
    protected override FileSystemKind FileSystem => FileSystemKind.Btrfs;
}
