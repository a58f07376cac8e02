using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

/// <summary>Removal of whole trees, of any depth and with any names.</summary>
internal static class DirectoryTree
{
    /// <summary>
    /// Removes what <paramref name="name"/> is: a file, a link (not its target) or a directory with all below it; false when
    /// there was nothing. What others add meanwhile goes too; what they remove is no error.
    /// </summary>
    /// <remarks>
    /// Mounts are never entered: a mount inside throws EBUSY with its path, and what was not reached stays. Immutable and
    /// append-only flags and missing permissions are lifted when they are in the way.
    /// </remarks>
    /// <param name="parent">The directory that it lies in.</param>
    /// <param name="name">Its name there.</param>
    /// <param name="stop">Looked at before each name; what is left is a smaller tree.</param>
    internal static bool Remove(SafeFileHandle parent, ReadOnlySpan<byte> name, CancellationToken stop = default)
    {
        // The common leaf first: unlinking a directory fails with EISDIR and changes nothing.
        var errno = Libc.TryUnlinkAt(parent, name);
        if (errno == Errno.None) return true;
        if (errno is Errno.ENOENT) return false;
        if (Libc.TryFStatAt(parent, name, out var status) != Errno.None) throw Libc.Failure("unlinkat", parent, name, errno);
        using var removal = new TreeRemoval(parent, stop);
        if (status.IsDirectory) removal.RemoveDirectory(name);
        else removal.RemoveLeaf(name);
        return true;
    }

    /// <summary>Removes all that is in a directory, and leaves the directory itself.</summary>
    internal static void Clear(SafeFileHandle directory)
    {
        using var own = Libc.OpenAt(directory, "."u8, OpenFlags.Directory);   // it may be an O_PATH descriptor
        var names = new List<byte[]>();
        do
        {
            names.Clear();
            using var reader = new DirectoryReader(own);
            while (names.Count < 4096 && reader.TryRead(out var entry)) names.Add(entry.Name.ToArray());
            foreach (var name in names) Remove(own, name);
            Libc.LSeek(own, 0, SeekFrom.Start);
        }
        while (names.Count > 0);
    }
}
