using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Apply;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Archive.Diff;

/// <summary>The difference of any two trees, found by comparing them. For layers that are not parent and child, and where a native diff cannot be had.</summary>
internal static class NaiveDiff
{
    /// <summary>Writes what makes <paramref name="now"/> out of <paramref name="old"/> (null: out of nothing).</summary>
    /// <param name="old">The older tree.</param>
    /// <param name="now">The newer tree.</param>
    /// <param name="format">How names of archives mark what they hide.</param>
    /// <param name="ids">Which ids of the host both trees show for those of the container.</param>
    /// <param name="output">Receives the archive; not disposed.</param>
    /// <param name="stop">Stops.</param>
    /// <param name="rootMode">Mode of a root that comes out of nothing and that nobody changed.</param>
    internal static TarSummary Write(SafeFileHandle? old, SafeFileHandle now, IWhiteoutFormat format, IdMap ids, Stream output, CancellationToken stop, uint rootMode = ExtractTarget.DefaultRootMode)
    {
        var comparison = new TreeComparison(format, stop);
        var changes = comparison.Compare(old, now);
        using var writer = new EntryWriter(output, format, ids);
        if (!comparison.HasSameRoot(old, now, ids, rootMode)) writer.Write(now, default, default, Libc.FStat(now));
        using var parents = new Parents(now);
        foreach (var (path, kind) in changes)
        {
            stop.ThrowIfCancellationRequested();
            if (kind == ChangeKind.Deleted)
            {
                writer.WriteWhiteout(path);
                continue;
            }

            var directory = parents.Open(LayerPath.Split(path, out var name));
            writer.Write(directory, name, path, Libc.FStatAt(directory, name));
        }

        return writer.Finish();
    }

    /// <summary>Lists what makes <paramref name="now"/> out of <paramref name="old"/>, sorted by path bytes.</summary>
    internal static IReadOnlyList<LayerChange> Changes(SafeFileHandle? old, SafeFileHandle now, IWhiteoutFormat format, CancellationToken stop) =>
        ChangeList.Of(new TreeComparison(format, stop).Compare(old, now));

    /// <summary>The directory of the last change, open: changes come directory by directory.</summary>
    private sealed class Parents(SafeFileHandle root) : IDisposable
    {
        private byte[]? _path;
        private SafeFileHandle? _directory;

        internal SafeFileHandle Open(ReadOnlySpan<byte> path)
        {
            if (path.IsEmpty) return root;
            if (_path is not null && path.SequenceEqual(_path)) return _directory!;
            _directory?.Dispose();
            _path = path.ToArray();
            return _directory = Libc.OpenAt2(root, path, OpenFlags.Path | OpenFlags.Directory | OpenFlags.NoFollow, ResolveFlags.Beneath | ResolveFlags.NoSymlinks);
        }

        public void Dispose() => _directory?.Dispose();
    }
}
