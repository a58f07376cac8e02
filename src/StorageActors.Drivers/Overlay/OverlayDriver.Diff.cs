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
    public WrittenTar Seal(LayerLocation layer, IReadOnlyList<LayerLocation> parents, CancellationToken stop) => DriverErrors.Guard("seal", layer.Path, () =>
    {
        using var target = new OverlayTarget(LayerDirectory.Of(layer), parents, _format);
        try
        {
            var content = target.ToExtract;
            return Written(SealDiff.Capture(content.Root, content.LayerDirectory, _format, content.Below!, stop));
        }
        catch (ComparisonNeededException e)
        {
            throw DriverErrors.Refuse(
                StorageErrorCode.Unsupported, "seal", $"{e.Message}: it was mounted with redirect_dir or metacopy. Write its diff, and apply that.", layer.Path);
        }
    });

    /// <inheritdoc/>
    public WrittenTar WriteDiff(DiffRequest request, Stream target, CancellationToken stop) => DriverErrors.Guard("diff", request.Layer.Path, () =>
    {
        if (IsFromParent(request) && !NeedsComparison(request))
        {
            using var content = new OverlayTarget(LayerDirectory.Of(request.Layer), request.Parents, _format);
            var (root, below) = (content.ToExtract.Root, content.ToExtract.Below!);
            var exact = request.Exact ? ExactDiff.Write(root, content.ToExtract.LayerDirectory, target, request.Expected, stop) : null;
            return Written(exact ?? NativeDiff.Write(root, _format, below, target, stop));
        }

        using var views = new Views(this, request);
        return Written(NaiveDiff.Write(views.From, views.Layer, _format, target, stop));
    });

    /// <inheritdoc/>
    public IReadOnlyList<LayerChange> Changes(DiffRequest request) => DriverErrors.Guard("changes", request.Layer.Path, () =>
    {
        if (IsFromParent(request))
        {
            try
            {
                using var content = new OverlayTarget(LayerDirectory.Of(request.Layer), request.Parents, _format);
                return NativeChanges.List(content.ToExtract.Root, _format, content.ToExtract.Below!);
            }
            catch (ComparisonNeededException)
            {
                // Below, the trees are compared.
            }
        }

        using var views = new Views(this, request);
        return NaiveDiff.Changes(views.From, views.Layer, _format, CancellationToken.None);
    });

    /// <inheritdoc/>
    public ContentUsage Measure(LayerLocation layer) => DriverErrors.Guard("measure", layer.Path, () =>
    {
        using var root = Libc.OpenDirectory(LayerDirectory.Of(layer).Diff);
        var (bytes, inodes) = UsageMeter.Measure(root);
        return new ContentUsage(bytes, inodes);
    });

    /// <inheritdoc/>
    public IReadOnlyList<string> Verify(LayerLocation layer, IReadOnlyList<LayerLocation> parents, bool full, CancellationToken stop) =>
        DriverErrors.Guard("verify", layer.Path, IReadOnlyList<string> () =>
        {
            using var content = new OverlayTarget(LayerDirectory.Of(layer), [], _format);
            using var record = ExactDiff.OpenRecord(content.ToExtract.LayerDirectory);
            return record is null ? ["the record of its archive, tar-split.json.gz, is missing"]
                : ContentVerifier.Verify(content.ToExtract.Root, record, _format, full, stop);
        });

    private static bool IsFromParent(DiffRequest request) =>
        request.From is null || (request.Parents.Count > 0 && request.From.Id == request.Parents[0].Id);

    /// <summary>Looked at before the first byte goes out: an archive cannot be begun again.</summary>
    private bool NeedsComparison(DiffRequest request)
    {
        if (request.Exact) return false; // A sealed layer was never written to by a mount that keeps content elsewhere.
        try
        {
            using var content = new OverlayTarget(LayerDirectory.Of(request.Layer), request.Parents, _format);
            NativeChanges.List(content.ToExtract.Root, _format, content.ToExtract.Below!);
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
        internal Views(OverlayDriver driver, DiffRequest request)
        {
            Layer = driver._mounts.View(request.Layer, request.Parents);
            try
            {
                if (request.From is { } from) From = driver._mounts.View(from, request.FromParents);
                else if (request.Parents.Count > 0) From = driver._mounts.View(request.Parents[0], [.. request.Parents.Skip(1)]);
            }
            catch
            {
                Layer.Dispose();
                throw;
            }
        }

        internal Microsoft.Win32.SafeHandles.SafeFileHandle Layer { get; }

        internal Microsoft.Win32.SafeHandles.SafeFileHandle? From { get; }

        public void Dispose()
        {
            From?.Dispose();
            Layer.Dispose();
        }
    }
}
