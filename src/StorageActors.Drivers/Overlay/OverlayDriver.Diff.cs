using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Apply;
using StorageActors.Archive.Diff;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Drivers.Overlay;

/// <summary>
/// What comes out of layers. A layer's directory holds its own changes alone, so the difference to its parent needs no comparison; for any other two layers, and
/// where the kernel keeps content elsewhere, both stacks are compared through mounts that have no path and so cannot be left behind.
/// </summary>
internal sealed partial class OverlayDriver
{
    /// <inheritdoc/>
    public WrittenTar Seal(LayerLocation location, IReadOnlyList<LayerLocation> parents, CancellationToken stop) =>
        DriverErrors.Guard("seal", location.Path, () =>
        {
            var directory = LayerDirectory.Of(location);
            if (parents.Count + 1 > OverlayStack.MaximumLowers) throw OverlayStack.TooDeep(directory, parents.Count + 1);
            _mounts.CheckSealable(location);
            using var layer = new OverlayTarget(directory, parents, _format);
            try
            {
                return Written(SealDiff.Capture(layer.Directory, output => NativeDiff.Write(layer.Root, _format, layer.Below, output, stop)));
            }
            catch (ComparisonNeededException e)
            {
                throw DriverErrors.Refuse(
                    StorageErrorCode.Unsupported, "seal", $"{e.Message}: it was mounted with redirect_dir or metacopy. Write its diff, and apply that.",
                    location.Path);
            }
        });

    /// <inheritdoc/>
    public WrittenTar WriteDiff(DiffRequest request, Stream target, CancellationToken stop) => DriverErrors.Guard("diff", request.Layer.Path, () =>
    {
        var fromParent = request.IsFromParent;
        if (!fromParent || NeedsComparison(request))
        {
            using var views = new Views(this, request, follows: fromParent);
            return Written(NaiveDiff.Write(views.From, views.Layer, _format, target, stop));
        }

        using var layer = new OverlayTarget(LayerDirectory.Of(request.Layer), request.Parents, _format);
        var exact = request.Exact ? ExactDiff.Write(layer.Root, layer.Directory, target, request.Expected, stop) : null;
        return Written(exact ?? NativeDiff.Write(layer.Root, _format, layer.Below, target, stop));
    });

    /// <inheritdoc/>
    public IReadOnlyList<LayerChange> Changes(DiffRequest request) => DriverErrors.Guard("changes", request.Layer.Path, () =>
    {
        var fromParent = request.IsFromParent;
        if (fromParent)
        {
            try
            {
                using var layer = new OverlayTarget(LayerDirectory.Of(request.Layer), request.Parents, _format);
                return NativeChanges.List(layer.Root, _format, layer.Below);
            }
            catch (ComparisonNeededException)
            {
                // Below, the trees are compared.
            }
        }

        using var views = new Views(this, request, follows: fromParent);
        return NaiveDiff.Changes(views.From, views.Layer, _format, CancellationToken.None);
    });

    /// <inheritdoc/>
    public ContentUsage Measure(LayerLocation layer) => DriverErrors.Guard("measure", layer.Path, () =>
    {
        using var root = Libc.OpenDirectory(LayerDirectory.Of(layer).Diff);
        var (bytes, inodes, content) = UsageMeter.Measure(root, out var last);
        return new ContentUsage(bytes, inodes, content) { LastChange = last };
    });

    /// <inheritdoc/>
    public IReadOnlyList<string> Verify(LayerLocation layer, IReadOnlyList<LayerLocation> parents, bool full, CancellationToken stop) =>
        DriverErrors.Guard("verify", layer.Path, IReadOnlyList<string> () =>
        {
            using var content = new OverlayTarget(LayerDirectory.Of(layer), parents: null, _format);
            using var record = ExactDiff.OpenRecord(content.Directory);
            return record is null ? [$"the record of its archive, {ExtractTarget.RecordName}, is missing"]
                : ContentVerifier.Verify(content.Root, record, _format, full, stop);
        });

    /// <summary>Looked at before the first byte goes out: an archive cannot be begun again.</summary>
    private bool NeedsComparison(DiffRequest request)
    {
        if (request.Exact) return false; // A sealed layer was never written to by a mount that keeps content elsewhere.
        try
        {
            using var layer = new OverlayTarget(LayerDirectory.Of(request.Layer), request.Parents, _format);
            NativeChanges.List(layer.Root, _format, layer.Below);
            return false;
        }
        catch (ComparisonNeededException)
        {
            return true;
        }
    }

    private static WrittenTar Written(TarSummary tar) => new(tar.DiffId, tar.Size, tar.Entries, tar.Uids, tar.Gids, tar.Warnings);

    /// <summary>Both stacks as their users would see them.</summary>
    private sealed class Views : IDisposable
    {
        /// <param name="driver">The driver.</param>
        /// <param name="request">What to look at; without anything to compare with, the parent.</param>
        /// <param name="follows">Whether content that another mount's options left elsewhere is looked for there.</param>
        internal Views(OverlayDriver driver, DiffRequest request, bool follows)
        {
            Layer = driver._mounts.View(request.Layer, request.Parents, follows);
            try
            {
                if (request.From is { } from) From = driver._mounts.View(from, request.FromParents, follows);
                else if (!request.Whole && request.Parents.Count > 0) From = driver._mounts.View(request.Parents[0], [.. request.Parents.Skip(1)], follows);
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
