using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Apply;
using StorageActors.Archive.Diff;
using StorageActors.Drivers.Copying;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Drivers.Vfs;

/// <summary>What goes into layers and comes out of them. A layer's directory holds more than its own changes, so a difference is found by comparing trees.</summary>
internal sealed partial class VfsDriver
{
    private static readonly DirectWhiteouts Format = DirectWhiteouts.Instance;

    /// <inheritdoc/>
    public ExtractResult Extract(StagedLayer staged, Stream blob, ExtractOptions options, IExtractionObserver? observer, CancellationToken stop) =>
        DriverErrors.Guard("extract", staged.Path, () =>
        {
            using var tree = Libc.OpenDirectory(VfsLayer.Of(staged).Tree);
            using var directory = Libc.OpenDirectory(staged.Path);
            var target = new ExtractTarget
            {
                Root = tree,
                LayerDirectory = directory,
                Whiteouts = ParentsOf(staged).Count == 0 ? DirectWhiteouts.OnNothing : Format,
                Below = EmptyLowerView.Instance,
                Owners = _options.NewOwners(),
                RootMode = _options.RootMode,
            };
            var result = LayerExtractor.Extract(blob, target, options, observer, stop, out _);
            return staged.DriverState is CopyReport { Dropped: { Count: > 0 } dropped } ? result with { Warnings = [.. dropped, .. result.Warnings] } : result;
        });

    /// <inheritdoc/>
    public WrittenTar Seal(LayerLocation layer, IReadOnlyList<LayerLocation> parents, IExtractionObserver? observer, CancellationToken stop) => DriverErrors.Guard("seal", layer.Path, () =>
    {
        using var trees = new Trees(layer, parents.Count == 0 ? null : parents[0]);
        using var directory = Libc.OpenDirectory(layer.Path);
        return Written(SealDiff.Capture(directory, output => NaiveDiff.Write(trees.From, trees.Layer, Format, IdMap.Host, ObservedStream.Of(output, observer), stop, _options.RootMode)));
    });

    /// <inheritdoc/>
    public WrittenTar WriteDiff(DiffRequest request, Stream target, CancellationToken stop) => DriverErrors.Guard("diff", request.Layer.Path, () =>
    {
        using var trees = new Trees(request.Layer, OldOf(request));
        if (request.Exact && request.IsFromParent)
        {
            using var directory = Libc.OpenDirectory(request.Layer.Path);
            if (ExactDiff.Write(trees.Layer, directory, target, request.Expected, stop) is { } exact) return Written(exact);
        }

        return Written(NaiveDiff.Write(trees.From, trees.Layer, Format, IdMap.Host, target, stop, _options.RootMode));
    });

    /// <inheritdoc/>
    public IReadOnlyList<LayerChange> Changes(DiffRequest request) => DriverErrors.Guard("changes", request.Layer.Path, () =>
    {
        using var trees = new Trees(request.Layer, OldOf(request));
        return NaiveDiff.Changes(trees.From, trees.Layer, Format, CancellationToken.None);
    });

    /// <inheritdoc/>
    /// <remarks>Every inode is the layer's own; blocks that it shares with its parent are the parent's.</remarks>
    public ContentUsage Measure(LayerLocation layer) => DriverErrors.Guard("measure", layer.Path, () =>
    {
        using var tree = Libc.OpenDirectory(VfsLayer.Of(layer).Tree);
        var (bytes, inodes, content) = UsageMeter.Measure(tree, SharedWithParent(layer) is { } shared ? shared.OwnBytes : null, out var last);
        return new ContentUsage(bytes, inodes, content) { LastChange = last };
    });

    /// <inheritdoc/>
    public IReadOnlyList<string> Verify(LayerLocation layer, IReadOnlyList<LayerLocation> parents, bool full, CancellationToken stop) =>
        DriverErrors.Guard("verify", layer.Path, IReadOnlyList<string> () =>
        {
            // A layer is not damaged by what happened to those below it.
            var comparesWithParent = parents.Count > 0 && Libc.TryStat(VfsLayer.Of(parents[0]).Tree, out _) == Errno.None;
            using var trees = new Trees(layer, comparesWithParent ? parents[0] : null);
            using var directory = Libc.OpenDirectory(layer.Path);
            using var record = ExactDiff.OpenRecord(directory);
            if (record is null) return [$"the record of its archive, {ExtractTarget.RecordName}, is missing"];
            var lines = ContentVerifier.Verify(trees.Layer, record, Format, full, stop, checksOwners: !_options.IgnoreChownErrors);
            if (trees.From is null) return lines;
            using var again = ExactDiff.OpenRecord(directory)!;
            return [.. lines, .. InheritedContent.Verify(trees.From, trees.Layer, again, full, stop)];
        });

    /// <summary>Null when nothing can be shared, or nothing is below.</summary>
    private SharedBlocks? SharedWithParent(LayerLocation layer)
    {
        if (!_sharesBlocks || SmallFile.TryRead(VfsLayer.Of(layer).Parent) is not { Length: > 0 } parent || parent.Contains('/', StringComparison.Ordinal)) return null;
        if (Libc.TryOpen($"{_home}/{parent}/diff", OpenFlags.Directory | OpenFlags.NoFollow, 0, out var tree) != Errno.None) return null;
        using (tree) return SharedBlocks.Of(tree);
    }

    /// <summary>What to compare with; null for nothing.</summary>
    private static LayerLocation? OldOf(DiffRequest request) =>
        request.Whole ? null : request.From ?? (request.Parents.Count == 0 ? null : request.Parents[0]);

    private static WrittenTar Written(TarSummary tar) => new(tar.DiffId, tar.Size, tar.Entries, tar.Uids, tar.Gids, tar.Warnings);

    /// <summary>The trees of a layer and of the one it is compared with, open.</summary>
    private sealed class Trees : IDisposable
    {
        internal Trees(LayerLocation layer, LayerLocation? from)
        {
            Layer = Libc.OpenDirectory(VfsLayer.Of(layer).Tree);
            try
            {
                if (from is not null) From = Libc.OpenDirectory(VfsLayer.Of(from).Tree);
            }
            catch
            {
                Layer.Dispose();
                throw;
            }
        }

        internal SafeFileHandle Layer { get; }

        internal SafeFileHandle? From { get; }

        public void Dispose()
        {
            From?.Dispose();
            Layer.Dispose();
        }
    }
}
