using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Apply;
using StorageActors.Archive.Tar;
using StorageActors.Archive.TarSplit;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Archive.Diff;

/// <summary>
/// Compares the part of a whole tree that its layer did not bring with the tree below: what differs there, without the record of the layer's archive saying so, was
/// changed by somebody else.
/// </summary>
internal static class InheritedContent
{
    private const int MaximumLines = 1000;

    /// <summary>One line for each difference; at most 1000.</summary>
    /// <param name="below">The tree that the layer's began as a copy of.</param>
    /// <param name="root">The layer's tree.</param>
    /// <param name="record">The record of its archive.</param>
    /// <param name="full">Whether content is compared as well.</param>
    /// <param name="stop">Stops.</param>
    internal static IReadOnlyList<string> Verify(SafeFileHandle below, SafeFileHandle root, Stream record, bool full, CancellationToken stop)
    {
        if (Touched.Read(record) is not { } touched) return [];
        var comparison = new TreeComparison(DirectWhiteouts.Instance, stop, readsContent: full);
        var changes = comparison.Compare(below, root);
        var lines = new List<string>();
        for (var i = 0; i < changes.Count && lines.Count < MaximumLines; i++)
        {
            var (path, kind) = changes[i];
            if (touched.Explains(path) || (i + 1 < changes.Count && IsBelow(changes[i + 1].Path, path))) continue;
            lines.Add($"/{PathText.Escape(path)}: " + kind switch
            {
                ChangeKind.Added => "it is neither in the layer's archive nor in the layer below",
                ChangeKind.Deleted => "it is missing, and in the layer below",
                _ => "it is not what the layer below has",
            });
        }

        return lines;
    }

    private static bool IsBelow(byte[] path, byte[] directory) =>
        path.Length > directory.Length && path[directory.Length] == '/' && path.AsSpan().StartsWith(directory);

    /// <summary>What an archive's entries may have changed.</summary>
    private sealed class Touched
    {
        private readonly HashSet<byte[]> _exactly = new(ByteStringComparer.Instance);
        private readonly HashSet<byte[]> _withAllBelow = new(ByteStringComparer.Instance);

        /// <summary>Null when entries lie behind the archive's own symbolic links: their names do not say where.</summary>
        internal static Touched? Read(Stream record)
        {
            var touched = new Touched();
            var links = new HashSet<byte[]>(ByteStringComparer.Instance);
            using var headers = new TarSplitHeaders(record);
            var scratch = new ByteBuffer();
            while (headers.MoveNext())
            {
                var path = LayerPath.Clean(headers.Current.Name, scratch, out var fault);
                if (fault is not null) continue;
                var role = EntryRoles.Of(path, out var hidden);
                var parent = LayerPath.Split(path, out _);
                if (role == EntryRole.Whiteout) touched._withAllBelow.Add(LayerPath.Join(parent, hidden));
                else if (role == EntryRole.Opaque) touched._withAllBelow.Add(parent.ToArray());
                else if (role != EntryRole.Ordinary) continue;
                else if (headers.Current.Type == TarEntryType.Directory) touched._exactly.Add(path.ToArray());
                else touched._withAllBelow.Add(path.ToArray());

                if (role == EntryRole.Ordinary && headers.Current.Type == TarEntryType.SymbolicLink) links.Add(path.ToArray());
                for (; !parent.IsEmpty; parent = LayerPath.Split(parent, out _))
                {
                    if (links.GetAlternateLookup<ReadOnlySpan<byte>>().Contains(parent)) return null;
                    if (!touched._exactly.GetAlternateLookup<ReadOnlySpan<byte>>().Contains(parent)) touched._exactly.Add(parent.ToArray());
                }
            }

            return touched;
        }

        internal bool Explains(ReadOnlySpan<byte> path)
        {
            if (_exactly.GetAlternateLookup<ReadOnlySpan<byte>>().Contains(path)) return true;
            var all = _withAllBelow.GetAlternateLookup<ReadOnlySpan<byte>>();
            for (; ; path = LayerPath.Split(path, out _))
            {
                if (all.Contains(path)) return true;
                if (path.IsEmpty) return false;
            }
        }
    }
}
