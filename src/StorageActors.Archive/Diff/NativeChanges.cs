using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Apply;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Archive.Diff;

/// <summary>
/// What a layer changes, read from its own directory and a few look-ups below: nothing is mounted or compared. The layer may be in use: what goes while it is looked at is
/// left out.
/// </summary>
internal static class NativeChanges
{
    /// <summary>The changes, sorted by path bytes.</summary>
    /// <exception cref="ComparisonNeededException">The directory does not hold all of the layer.</exception>
    internal static IReadOnlyList<LayerChange> List(SafeFileHandle root, IWhiteoutFormat format, ILowerView below)
    {
        var found = new List<(byte[] Path, ChangeKind Kind)>();
        using var descent = new DirectoryDescent(root);
        var levels = new Stack<Level>();
        levels.Push(Enter([], hidden: false));
        while (levels.TryPeek(out var level))
        {
            if (level.Next == level.Entries.Count)
            {
                levels.Pop();
                if (levels.Count > 0) descent.Leave();
                continue;
            }

            var (name, status, isWhiteout) = level.Entries[level.Next++];
            var child = LayerPath.Join(level.Path, name);
            if (isWhiteout)
            {
                found.Add((child, ChangeKind.Deleted));
                continue;
            }

            if (!IsWhole(descent.Current, name, child, status)) continue;
            if (status.IsDirectory && !EnterIfThere(name)) continue;
            var lower = level.IsHidden ? null : below.Find(child);
            found.Add((child, lower is null ? ChangeKind.Added : ChangeKind.Changed));
            if (!status.IsDirectory) continue;
            levels.Push(Enter(child, hidden: lower is not { Status.IsDirectory: true }));
        }

        return ChangeList.Of(found);

        Level Enter(byte[] path, bool hidden)
        {
            var entries = SortedDirectory.Read(descent.Current, format);
            if (!hidden && path.Length > 0 && format.IsOpaque(descent.Current, default))
            {
                // What was below is gone, but for the names that came again.
                foreach (var gone in below.List(path).Except(entries.Select(static entry => entry.Name), ByteStringComparer.Instance))
                    found.Add((LayerPath.Join(path, gone), ChangeKind.Deleted));
            }

            return new Level(path, entries, hidden);
        }

        bool EnterIfThere(byte[] name)
        {
            var errno = descent.TryEnter(name);
            return errno == Errno.None || (errno == Errno.ENOENT ? false : throw Libc.Failure("openat", descent.Current, name, errno));
        }

        // False when it has gone.
        bool IsWhole(SafeFileHandle directory, byte[] name, byte[] path, in FileStatus status)
        {
            if (!status.IsDirectory && !status.IsRegular) return true;
            try
            {
                foreach (var attribute in Libc.ListXattrAt(directory, name))
                {
                    if (format.LiesElsewhere(attribute)) throw new ComparisonNeededException(PathText.Escape(path));
                }

                return true;
            }
            catch (LinuxException e) when (e.Errno == Errno.ENOENT)
            {
                return false;
            }
        }
    }

    /// <summary>A directory that the walk is in, whether what is below it is hidden, and how far it has come.</summary>
    private sealed class Level(byte[] path, List<LayerEntry> entries, bool isHidden)
    {
        internal byte[] Path { get; } = path;

        internal List<LayerEntry> Entries { get; } = entries;

        internal bool IsHidden { get; } = isHidden;

        internal int Next { get; set; }
    }
}

/// <summary>Makes a list of changes for people out of paths that are bytes.</summary>
internal static class ChangeList
{
    internal static IReadOnlyList<LayerChange> Of(List<(byte[] Path, ChangeKind Kind)> found)
    {
        found.Sort(static (left, right) => left.Path.AsSpan().SequenceCompareTo(right.Path));
        return found.Select(static change => new LayerChange(change.Kind, "/" + PathText.Escape(change.Path))).ToArray();
    }
}
