using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Drivers.Overlay;

/// <summary>
/// Remembers that a layer is written to without syncing. The kernel leaves a mark of its own (<c>work/work/incompat/volatile</c>) that refuses the next
/// mount, but does not say since when: within one boot all writes are in memory and the mark means nothing; after a restart they may be lost, and
/// files may be empty that were written long before. So the boot is written down, durably, before the first such mount.
/// </summary>
internal sealed class VolatileMark(string bootId)
{
    /// <summary>Before a read-write mount or a seal: refuses a layer whose writes a restart may have lost, and takes the kernel's mark away.</summary>
    /// <returns>Whether there was any mark; its own stays.</returns>
    internal bool Check(LayerDirectory layer)
    {
        var isMarked = IsKernels(layer);
        var boot = SmallFile.TryRead(layer.Volatile)?.Trim();
        if (!isMarked && boot is null) return false;
        if (boot != bootId)
        {
            var since = boot is null ? "by somebody who did not say when" : "before the machine restarted";
            throw DriverErrors.Refuse(
                StorageErrorCode.Damaged, "mount",
                $"Layer {layer.Id} was written to without syncing (volatile) {since}, so parts of it may be lost. Remove the layer, or, to use it as it is, "
                + $"delete {layer.Volatile} and {KernelMark(layer)}.",
                layer.Path);
        }

        if (isMarked) RemoveKernelMark(layer);
        return true;
    }

    /// <summary>Before a volatile mount.</summary>
    internal void Set(LayerDirectory layer) => SmallFile.WriteDurably(layer.Volatile, bootId);

    /// <summary>After a mount that was not volatile has been unmounted: the kernel synced everything then.</summary>
    internal static void Clear(LayerDirectory layer) => SmallFile.TryDelete(layer.Volatile);

    internal static bool IsSet(LayerDirectory layer) => Libc.TryStat(layer.Volatile, out _) == Errno.None;

    /// <summary>Whether the kernel has left its own: a volatile mount is there, or was.</summary>
    internal static bool IsKernels(LayerDirectory layer) => Libc.TryStat(KernelMark(layer), out _) == Errno.None;

    private static string KernelMark(LayerDirectory layer) => layer.Work + "/work/incompat/volatile";

    private static void RemoveKernelMark(LayerDirectory layer)
    {
        // Other names in there would say what else of the layer a kernel must understand: not ours to remove.
        using var features = Libc.OpenDirectory(layer.Work + "/work/incompat");
        DirectoryTree.Remove(features, "volatile"u8);
    }
}
