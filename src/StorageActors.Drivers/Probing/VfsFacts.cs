using StorageActors.Drivers.Vfs;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Drivers.Probing;

/// <summary>What the vfs driver tells people about itself and what it found.</summary>
internal static class VfsFacts
{
    internal static IReadOnlyList<StoreFact> Of(string root, bool sharesBlocks, DriverOptions options, string chosen) =>
    [
        new("driver", "name", $"{VfsDriver.DriverName} ({chosen})"),
        new("driver", "mounts", "none: a layer is its directory"),
        new("driver", "copies", sharesBlocks
            ? "share blocks with the parent: a layer takes what it changes, and an inode for each file"
            : "full: the file system shares no blocks, so every layer takes the size of its whole tree"),
        new("driver", "diff", "trees are compared; a sealed layer comes back from its record"),
        LayerRoot.Fact(options),
        new("file system", "type", StoreFileSystem.NameOf(Libc.StatFs(root).Type)),
        new("file system", "shared blocks", sharesBlocks ? "yes" : "no"),
    ];
}
