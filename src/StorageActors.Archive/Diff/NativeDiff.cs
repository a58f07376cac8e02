using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Apply;
using StorageActors.Linux;
using StorageActors.Protocol;

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
    /// <param name="ids">Which ids of the host those of the layer's container are there.</param>
    /// <param name="stop">Stops.</param>
    /// <param name="rootMode">Mode of a root that has nothing below and that nobody changed.</param>
    /// <exception cref="ComparisonNeededException">The directory does not hold all of the layer.</exception>
    internal static TarSummary Write(SafeFileHandle root, IWhiteoutFormat format, ILowerView below, IdMap ids, Stream output, CancellationToken stop, uint rootMode = ExtractTarget.DefaultRootMode)
    {
        using var writer = new EntryWriter(output, format, ids);
        var walk = new Walk(format, below, ids, rootMode, writer, stop);
        walk.WriteRoot(root);
        walk.WriteAllBelow(root);
        return writer.Finish();
    }

    private sealed class Walk(IWhiteoutFormat format, ILowerView below, IdMap ids, uint rootMode, EntryWriter writer, CancellationToken stop)
    {
        /// <summary>A root that nobody changed is not in the archive, as other tools have it.</summary>
        internal void WriteRoot(SafeFileHandle root)
        {
            var status = Libc.FStat(root);
            var (user, group) = ids.OwnerOf(status, default);
            var isAsBelow = below.Find(default) is { Status: var other }
                ? (status.Permissions, user, group) == (other.Permissions, other.UserId, other.GroupId)
                : (status.Permissions, user, group) == (rootMode, 0u, 0u);
            if (!isAsBelow) writer.Write(root, default, default, status);
        }

        internal void WriteAllBelow(SafeFileHandle root)
        {
            using var descent = new DirectoryDescent(root);
            var levels = new Stack<Level>();
            levels.Push(new Level([], SortedDirectory.List(descent.Current, format)));
            while (levels.TryPeek(out var level))
            {
                stop.ThrowIfCancellationRequested();
                if (level.Next == level.Entries.Count)
                {
                    levels.Pop();
                    if (levels.Count > 0) descent.Leave();
                    continue;
                }

                var (name, type, isWhiteout) = level.Entries[level.Next++];
                var path = LayerPath.Join(level.Path, name);
                if (isWhiteout) writer.WriteWhiteout(path);
                else if (type == FileType.Directory) levels.Push(EnterDirectory(descent, name, path));
                else if (type == FileType.Regular) writer.WriteListedFile(descent.Current, name, path);
                else writer.Write(descent.Current, name, path, Libc.FStatAt(descent.Current, name));
            }
        }

        private Level EnterDirectory(DirectoryDescent descent, byte[] name, byte[] path)
        {
            descent.Enter(name);
            writer.Write(descent.Parent, name, path, descent.Status);
            if (format.IsOpaque(descent.Current, default) && below.Find(path) is { Status.IsDirectory: true }) writer.WriteOpaque(path);
            return new Level(path, SortedDirectory.List(descent.Current, format));
        }
    }

    /// <summary>A directory that the walk is in, and how far it has come.</summary>
    private sealed class Level(byte[] path, List<ListedEntry> entries)
    {
        internal byte[] Path { get; } = path;

        internal List<ListedEntry> Entries { get; } = entries;

        internal int Next { get; set; }
    }
}
