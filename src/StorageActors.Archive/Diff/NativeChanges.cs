using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Apply;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Archive.Diff;

/// <summary>What a layer changes, read from its own directory and a few look-ups below: nothing is mounted or compared.</summary>
internal static class NativeChanges
{
    /// <summary>The changes, sorted by path bytes.</summary>
    /// <exception cref="ComparisonNeededException">The directory does not hold all of the layer.</exception>
    internal static IReadOnlyList<LayerChange> List(SafeFileHandle root, IWhiteoutFormat format, ILowerView below)
    {
        var found = new List<(byte[] Path, ChangeKind Kind)>();
        using (var directory = Libc.OpenDirectoryAt(root, "."u8)) Add(directory, [], hidden: false);
        return ChangeList.Of(found);

        void Add(SafeFileHandle directory, byte[] path, bool hidden)
        {
            var entries = SortedDirectory.Read(directory, format);
            if (!hidden && path.Length > 0 && format.IsOpaque(directory, default))
            {
                // What was below is gone, but for the names that came again.
                foreach (var gone in below.List(path).Except(entries.Select(static entry => entry.Name), ByteStringComparer.Instance)) found.Add((LayerPath.Join(path, gone), ChangeKind.Deleted));
            }

            foreach (var (name, status, isWhiteout) in entries)
            {
                var child = LayerPath.Join(path, name);
                if (isWhiteout)
                {
                    found.Add((child, ChangeKind.Deleted));
                    continue;
                }

                CheckWhole(directory, name, child, status);
                var isBelow = !hidden && below.Find(child) is { } lower;
                found.Add((child, isBelow ? ChangeKind.Changed : ChangeKind.Added));
                if (!status.IsDirectory) continue;
                using var opened = Libc.OpenDirectoryAt(directory, name);
                Add(opened, child, hidden || below.Find(child) is not { Status.IsDirectory: true });
            }
        }

        void CheckWhole(SafeFileHandle directory, byte[] name, byte[] path, in FileStatus status)
        {
            if (!status.IsDirectory && !status.IsRegular) return;
            foreach (var attribute in Libc.ListXattrAt(directory, name))
            {
                if (format.LiesElsewhere(attribute)) throw new ComparisonNeededException(PathText.Escape(path));
            }
        }
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
