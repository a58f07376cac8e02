using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;

namespace StorageActors.Archive.Diff;

/// <summary>
/// Sees that two files have the same content without reading it: they have the same blocks, as copies on xfs and btrfs do until one is written to. What is only in
/// memory is written first, since it has no block of its own yet. For one thread.
/// </summary>
internal sealed class SameBlocks
{
    /// <summary>With any of these, the place of an extent does not say what is read from it.</summary>
    private const ExtentFlags Unclear = ExtentFlags.Unknown | ExtentFlags.DelayedAllocation | ExtentFlags.Encoded | ExtentFlags.Encrypted
        | ExtentFlags.NotAligned | ExtentFlags.Inline | ExtentFlags.Tail;

    private readonly List<FileExtent> _left = [];
    private readonly List<FileExtent> _right = [];

    /// <summary>True when they certainly have; false says nothing.</summary>
    internal bool AreSame(SafeFileHandle left, SafeFileHandle right)
    {
        if (!TryRead(left, _left) || _left.Count == 0 || !TryRead(right, _right) || _left.Count != _right.Count) return false;
        for (var i = 0; i < _left.Count; i++)
        {
            var (one, other) = (_left[i], _right[i]);
            if ((one.Logical, one.Physical, one.Length) != (other.Logical, other.Physical, other.Length)) return false;
            if (((one.Flags | other.Flags) & Unclear) != 0 || ((one.Flags ^ other.Flags) & ExtentFlags.Unwritten) != 0) return false;
        }

        return true;
    }

    /// <summary>A file without any extent shared is no copy of another.</summary>
    private static bool TryRead(SafeFileHandle file, List<FileExtent> extents)
    {
        extents.Clear();
        return Libc.TryReadExtents(file, sync: true, extents) == Errno.None && extents.Exists(static extent => (extent.Flags & ExtentFlags.Shared) != 0);
    }
}
