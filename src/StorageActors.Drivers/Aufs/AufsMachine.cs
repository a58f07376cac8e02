using StorageActors.Drivers.Probing;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Drivers.Aufs;

/// <summary>What decides whether aufs works for a store.</summary>
/// <param name="FileSystem">The file system under the store's root.</param>
/// <param name="InUserNamespace">Whether this process is root of a user namespace alone.</param>
/// <param name="IsRegistered">Whether the kernel has aufs, after it was asked to load the module.</param>
/// <param name="ModuleAnswer">What came of loading the module; null when that was not needed.</param>
/// <param name="BranchLimit">Branches that one mount takes.</param>
internal sealed record AufsMachine(FsMagic FileSystem, bool InUserNamespace, bool IsRegistered, string? ModuleAnswer, int BranchLimit)
{
    /// <summary>What the module is built for when it does not say.</summary>
    internal const int DefaultBranchLimit = 127;

    /// <summary>Why aufs does not work for a store, and what to do; null when nothing speaks against it.</summary>
    internal string? WhyNot(string root)
    {
        var under = FileSystem switch
        {
            FsMagic.Aufs => "aufs does not take branches that lie on aufs; inside a container, put the store on a volume",
            FsMagic.Btrfs => "aufs does not work on btrfs; use ext4 or xfs, or the driver overlay",
            FsMagic.Ecryptfs => "aufs does not work on ecryptfs; encrypt the device instead",
            FsMagic.Overlay => "aufs does not take branches that lie on an overlay; inside a container, put the store on a volume",
            _ => null,
        };
        if (under is not null) return $"The store at {root} lies on {StoreFileSystem.NameOf(FileSystem)}: {under}.";
        if (InUserNamespace) return "aufs cannot be mounted in a user namespace; run the store as root of the machine, or use the driver vfs, which needs no mounts.";
        if (IsRegistered) return null;
        return $"This kernel ({Libc.KernelRelease()}) has no aufs: it is not in /proc/filesystems{(ModuleAnswer is null ? "" : $", and modprobe aufs says: {ModuleAnswer}")}. "
            + "aufs is no part of Linux; install a module for this kernel, or use the driver overlay.";
    }

    /// <summary>Refuses where aufs does not work.</summary>
    internal void Check(string root)
    {
        if (WhyNot(root) is { } why) throw DriverErrors.Refuse(StorageErrorCode.Unsupported, "probe", why, root);
    }
}
