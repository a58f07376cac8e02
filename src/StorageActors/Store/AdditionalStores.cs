using StorageActors.Catalog;
using StorageActors.Drivers;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.Reading;

namespace StorageActors.Store;

/// <summary>
/// Other stores, whose sealed layers and images this one shows and builds on. They are read once, when the store is opened, and never written to: they may lie on a
/// read-only file system, and belong to somebody else.
/// </summary>
internal static class AdditionalStores
{
    private const string Operation = "open additional store";

    /// <summary>What they have together, the first counting most; null when there are none.</summary>
    /// <param name="roots">Their roots, in the order in which they are searched.</param>
    /// <param name="own">The store that is opened.</param>
    /// <param name="capabilities">What its driver can do.</param>
    /// <exception cref="PermanentDriverException">One of them is no store, cannot be read from outside, or cannot be used by this driver.</exception>
    internal static CatalogState? Read(IReadOnlyList<string> roots, StoreLayout own, DriverCapabilities capabilities)
    {
        if (roots.Count == 0) return null;
        if (!capabilities.HasFlag(DriverCapabilities.AdditionalStores))
            throw Refuse(StorageErrorCode.Unsupported, roots[0], $"the driver {own.Driver} makes no layers on those of another store; use overlay or vfs, or leave additional-stores empty");
        return CatalogState.Merge(roots.Select(root => (root, Read(root, own, capabilities))));
    }

    private static CatalogState Read(string root, StoreLayout own, DriverCapabilities capabilities)
    {
        if (Libc.TryStat(root, out var there) != Errno.None || StoreFormat.Read(root, toReadOnly: true) is not { } format)
            throw Refuse(StorageErrorCode.NotFound, root, $"there is no store in {root}; mount it, or take it out of additional-stores");
        var isItself = Libc.TryStat(own.Root, out var here) == Errno.None && (here.FileSystem, here.Inode) == (there.FileSystem, there.Inode);
        if (isItself || root.StartsWith(own.Root + "/", StringComparison.Ordinal))
            throw Refuse(StorageErrorCode.InvalidArgument, root, $"{root} is this store itself, or lies in it; take it out of additional-stores");
        if (format.Driver != own.Driver)
            throw Refuse(StorageErrorCode.Unsupported, root, $"{root} is a store of the driver {format.Driver}, this one is of {own.Driver}: their layers do not go together");
        if (format.HasUserXattrs != capabilities.HasFlag(DriverCapabilities.UserXattrs))
        {
            throw Refuse(
                StorageErrorCode.Unsupported, root,
                $"{root} was made {(format.HasUserXattrs ? "in a user namespace, this one by root of the machine" : "by root of the machine, this one in a user namespace")}: their layers do not go together");
        }

        return StoreReading.TryRead(root, withMounts: false, leavesNoTrace: true)?.Catalog ?? throw Refuse(
            StorageErrorCode.Unsupported, root,
            $"{root} cannot be read from outside: its owner keeps the journal elsewhere or has additional stores, or a crash left something that its own engine settles when it starts");
    }

    private static PermanentDriverException Refuse(StorageErrorCode code, string root, string what) => new(new StorageError(code, Operation, what, root));
}
