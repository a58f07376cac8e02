using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;

namespace StorageActors.Archive.Diff;

/// <summary>Measures what a tree takes on disk: blocks that are allocated, inodes, and lengths of files and symbolic links; hard links once.</summary>
internal static class UsageMeter
{
    private const int BlockSize = 512;

    /// <summary>Says how many of a regular file's allocated bytes count; null when all of it is somebody else's, its length included.</summary>
    internal delegate long? OwnBytes(SafeFileHandle directory, ReadOnlySpan<byte> name, in FileStatus status);

    /// <summary>What a file's status says is allocated.</summary>
    internal static long AllocatedBytes(in FileStatus status) => status.Blocks * BlockSize;

    /// <summary>Measures the tree and its root.</summary>
    /// <param name="root">The tree.</param>
    internal static (long Bytes, long Inodes, long Content) Measure(SafeFileHandle root) => Measure(root, null, out _);

    /// <summary>Measures the tree and its root, and says when the last of its inodes was changed.</summary>
    /// <param name="root">The tree.</param>
    /// <param name="own">Is asked about each regular file with blocks; null when all of them count.</param>
    /// <param name="lastChange">The latest time of change.</param>
    internal static (long Bytes, long Inodes, long Content) Measure(SafeFileHandle root, OwnBytes? own, out TimeSpec lastChange)
    {
        var linked = new HashSet<ulong>();
        var status = Libc.FStat(root);
        long bytes = AllocatedBytes(status), inodes = 1, content = 0;
        var last = status.ChangeTime;
        using var descent = new DirectoryDescent(root);
        var pending = new Stack<Stack<byte[]>>();
        pending.Push(Add(descent.Current));
        while (pending.TryPeek(out var directories))
        {
            if (directories.TryPop(out var name))
            {
                if (descent.TryEnter(name) == Errno.None) pending.Push(Add(descent.Current));
                continue;
            }

            pending.Pop();
            if (pending.Count > 0) descent.Leave();
        }

        lastChange = last;
        return (bytes, inodes, content);

        Stack<byte[]> Add(SafeFileHandle directory)
        {
            var directories = new Stack<byte[]>();
            using var reader = new DirectoryReader(directory);
            while (reader.TryRead(out var entry))
            {
                if (Libc.TryFStatAt(directory, entry.Name, out var child) != Errno.None) continue; // Gone: a mounted layer changes.
                if (!child.IsDirectory && child.Links > 1 && !linked.Add(child.Inode)) continue;
                if (child.ChangeTime.IsAfter(last)) last = child.ChangeTime;
                inodes++;
                var counted = own is not null && child is { IsRegular: true, Blocks: > 0 } ? own(directory, entry.Name, child) : AllocatedBytes(child);
                if (counted is null) continue;
                bytes += counted.Value;
                if (child.Type is FileType.Regular or FileType.SymbolicLink) content += child.Size;
                if (child.IsDirectory) directories.Push(entry.Name.ToArray());
            }

            return directories;
        }
    }
}
