using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Apply;
using StorageActors.Linux;

namespace StorageActors.Archive.Diff;

/// <summary>
/// A layer's archive out of its own directory, when that holds the layer's changes alone: whiteouts and opaque marks become their names in archives. Sorted,
/// so the same layer always gives the same bytes. A file that cannot be read is an error, never left out.
/// </summary>
internal static class NativeDiff
{
    /// <summary>Writes the archive.</summary>
    /// <param name="root">The layer's content.</param>
    /// <param name="format">How it marks what it hides.</param>
    /// <param name="below">What the layers below show: an opaque mark above nothing is left out, and a root that is as below.</param>
    /// <param name="output">Receives the archive; not disposed.</param>
    /// <param name="stop">Stops.</param>
    /// <exception cref="ComparisonNeededException">The directory does not hold all of the layer.</exception>
    internal static TarSummary Write(SafeFileHandle root, IWhiteoutFormat format, ILowerView below, Stream output, CancellationToken stop)
    {
        using var writer = new EntryWriter(output, format);
        var walk = new Walk(format, below, writer, stop);
        walk.WriteRoot(root);
        using (var directory = Libc.OpenDirectoryAt(root, "."u8)) walk.WriteChildren(directory, []);
        return writer.Finish();
    }

    private sealed class Walk(IWhiteoutFormat format, ILowerView below, EntryWriter writer, CancellationToken stop)
    {
        private const uint DefaultRootMode = 0x1ED; // 0755

        /// <summary>A root that nobody changed is not in the archive, as other tools have it.</summary>
        internal void WriteRoot(SafeFileHandle root)
        {
            var status = Libc.FStat(root);
            var isAsBelow = below.Find(default) is { Status: var other }
                ? (status.Permissions, status.UserId, status.GroupId) == (other.Permissions, other.UserId, other.GroupId)
                : (status.Permissions, status.UserId, status.GroupId) == (DefaultRootMode, 0u, 0u);
            if (!isAsBelow) writer.Write(root, default, default, status);
        }

        internal void WriteChildren(SafeFileHandle directory, byte[] path)
        {
            foreach (var (name, status, isWhiteout) in SortedDirectory.Read(directory, format))
            {
                stop.ThrowIfCancellationRequested();
                var child = LayerPath.Join(path, name);
                if (isWhiteout) writer.WriteWhiteout(child);
                else if (!status.IsDirectory) writer.Write(directory, name, child, status);
                else WriteDirectory(directory, name, child);
            }
        }

        private void WriteDirectory(SafeFileHandle parent, byte[] name, byte[] path)
        {
            using var directory = Libc.OpenDirectoryAt(parent, name);
            writer.Write(parent, name, path, Libc.FStat(directory));
            if (format.IsOpaque(directory, default) && below.Find(path) is { Status.IsDirectory: true }) writer.WriteOpaque(path);
            WriteChildren(directory, path);
        }
    }
}
