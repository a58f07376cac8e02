using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Diff;
using StorageActors.Linux;

namespace StorageActors.Drivers.Vfs;

/// <summary>
/// Which of a tree's blocks are its parent's as well. A file system counts a shared block for each file that has it; counted once, for the layer that brought it, the layers' sizes
/// add up to what the store takes, and a layer's is what it changed.
/// </summary>
/// <remarks>Only blocks that the file system marks as shared are looked at. What is not written yet has no place, and is the layer's own.</remarks>
internal sealed class SharedBlocks
{
    private const OpenFlags Existing = OpenFlags.NoFollow | OpenFlags.NonBlocking;

    private readonly List<FileExtent> _extents = [];
    private readonly List<(ulong Start, ulong End)> _ranges = [];

    /// <summary>The parent's blocks that others have, too.</summary>
    /// <param name="parent">Its tree.</param>
    internal static SharedBlocks Of(SafeFileHandle parent)
    {
        var blocks = new SharedBlocks();
        UsageMeter.Measure(parent, blocks.Add, out _);
        blocks.Merge();
        return blocks;
    }

    /// <summary>A file's allocated bytes without those that the parent has; null when the parent has all of them.</summary>
    internal long? OwnBytes(SafeFileHandle directory, ReadOnlySpan<byte> name, in FileStatus status)
    {
        var allocated = UsageMeter.AllocatedBytes(status);
        ulong shared = 0;
        foreach (var extent in ReadShared(directory, name)) shared += Overlap(extent.Physical, extent.Physical + extent.Length);
        var own = allocated - (long)shared;
        return own > 0 ? own : null;
    }

    private long? Add(SafeFileHandle directory, ReadOnlySpan<byte> name, in FileStatus status)
    {
        foreach (var extent in ReadShared(directory, name)) _ranges.Add((extent.Physical, extent.Physical + extent.Length));
        return null;
    }

    /// <summary>The file's shared extents; none when it went meanwhile, or its file system does not tell.</summary>
    private IEnumerable<FileExtent> ReadShared(SafeFileHandle directory, ReadOnlySpan<byte> name)
    {
        _extents.Clear();
        if (Libc.TryOpenAt(directory, name, Existing | OpenFlags.NoAccessTime, 0, out var file) != Errno.None
            && Libc.TryOpenAt(directory, name, Existing, 0, out file) != Errno.None) return [];
        using (file)
        {
            return Libc.TryReadExtents(file, sync: false, _extents) == Errno.None ? _extents.Where(static extent => IsShared(extent.Flags)) : [];
        }
    }

    private static bool IsShared(ExtentFlags flags) =>
        (flags & (ExtentFlags.Shared | ExtentFlags.Unknown | ExtentFlags.DelayedAllocation | ExtentFlags.Inline)) == ExtentFlags.Shared;

    private void Merge()
    {
        _ranges.Sort();
        var last = -1;
        foreach (var range in _ranges.ToArray())
        {
            if (last >= 0 && range.Start <= _ranges[last].End) _ranges[last] = (_ranges[last].Start, Math.Max(_ranges[last].End, range.End));
            else _ranges[++last] = range;
        }

        _ranges.RemoveRange(last + 1, _ranges.Count - last - 1);
    }

    private ulong Overlap(ulong start, ulong end)
    {
        // The first range that ends behind the start.
        var (low, high) = (0, _ranges.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_ranges[middle].End <= start) low = middle + 1;
            else high = middle;
        }

        ulong overlap = 0;
        for (; low < _ranges.Count && _ranges[low].Start < end; low++) overlap += Math.Min(end, _ranges[low].End) - Math.Max(start, _ranges[low].Start);
        return overlap;
    }
}
