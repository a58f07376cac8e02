using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;

namespace StorageActors.Archive.Diff;

/// <summary>Measures what a tree takes on disk: blocks that are allocated, inodes, and lengths of files and symbolic links; hard links once.</summary>
internal static class UsageMeter
{
    private const int BlockSize = 512;

    /// <summary>Measures the tree and its root.</summary>
    internal static (long Bytes, long Inodes, long Content) Measure(SafeFileHandle root) => Measure(root, out _);

    /// <summary>Measures the tree and its root, and says when the last of its inodes was changed.</summary>
    internal static (long Bytes, long Inodes, long Content) Measure(SafeFileHandle root, out TimeSpec lastChange)
    {
        var linked = new HashSet<ulong>();
        var status = Libc.FStat(root);
        long bytes = status.Blocks * BlockSize, inodes = 1, content = 0;
        var last = status.ChangeTime;
        using (var directory = Libc.OpenDirectoryAt(root, "."u8)) Add(directory);
        lastChange = last;
        return (bytes, inodes, content);

        void Add(SafeFileHandle directory)
        {
            List<byte[]>? directories = null;
            using (var reader = new DirectoryReader(directory))
            {
                while (reader.TryRead(out var entry))
                {
                    if (Libc.TryFStatAt(directory, entry.Name, out var child) != Errno.None) continue; // Gone: a mounted layer changes.
                    if (!child.IsDirectory && child.Links > 1 && !linked.Add(child.Inode)) continue;
                    if (child.ChangeTime.IsAfter(last)) last = child.ChangeTime;
                    bytes += child.Blocks * BlockSize;
                    inodes++;
                    if (child.Type is FileType.Regular or FileType.SymbolicLink) content += child.Size;
                    if (child.IsDirectory) (directories ??= []).Add(entry.Name.ToArray());
                }
            }

            foreach (var name in directories ?? [])
            {
                if (Libc.TryOpenAt(directory, name, OpenFlags.Directory | OpenFlags.NoFollow, 0, out var opened) != Errno.None)
                {
                    opened.Dispose();
                    continue;
                }

                using (opened) Add(opened);
            }
        }
    }
}
