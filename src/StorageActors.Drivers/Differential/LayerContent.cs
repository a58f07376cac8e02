using StorageActors.Archive.Apply;
using StorageActors.Archive.Diff;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Drivers.Differential;

/// <summary>
/// What goes into layers and comes out of them, for drivers that keep each layer's own changes in a directory. So the difference to the parent needs no
/// comparison; for any other two layers, and where the kernel keeps content elsewhere, both stacks are compared through views that have no path and so
/// cannot be left behind.
/// </summary>
/// <param name="format">How a directory marks what it hides.</param>
/// <param name="view">Shows a stack.</param>
/// <param name="options">Settings.</param>
internal sealed class LayerContent(IWhiteoutFormat format, LayerView view, DriverOptions options)
{
    /// <inheritdoc cref="ILayerDriver.Extract"/>
    internal ExtractResult Extract(StagedLayer staged, Stream blob, ExtractOptions extract, IExtractionObserver? observer, CancellationToken stop)
    {
        using var target = Target(staged, staged.Parents);
        var result = LayerExtractor.Extract(blob, target.ToExtract, extract, observer, stop, out var deferred);
        staged.DriverState = deferred;
        return result;
    }

    /// <inheritdoc cref="ILayerDriver.Rebase"/>
    internal IReadOnlyList<string> Rebase(StagedLayer staged, IReadOnlyList<LayerLocation> parents)
    {
        if (staged.DriverState is not DeferredDecisions { IsEmpty: false } deferred) return [];
        using var target = Target(staged, parents);
        return LayerRebase.Settle(deferred, target.ToExtract);
    }

    /// <summary>The union's root shows the attributes of the topmost directory: a layer that brings none of its own has those of the one below.</summary>
    internal void InheritRoot(StagedLayer staged, IReadOnlyList<LayerLocation> parents)
    {
        using var target = Target(staged, [.. parents.Take(1)]);
        LayerRebase.Settle(new DeferredDecisions { RootIsImplied = true, RootTime = TimeSpec.Now }, target.ToExtract);
    }

    /// <inheritdoc cref="ILayerDriver.Seal"/>
    internal WrittenTar Seal(LayerLocation location, IReadOnlyList<LayerLocation> parents, IExtractionObserver? observer, CancellationToken stop)
    {
        using var layer = new LayerTarget(location.Path, parents, format);
        try
        {
            return Written(SealDiff.Capture(layer.Directory, output => NativeDiff.Write(layer.Root, format, layer.Below, location.Ids, ObservedStream.Of(output, observer), stop, options.RootMode)));
        }
        catch (ComparisonNeededException e)
        {
            throw DriverErrors.Refuse(
                StorageErrorCode.Unsupported, "seal", $"{e.Message}: it was mounted with redirect_dir or metacopy. Write its diff, and apply that.",
                location.Path);
        }
    }

    /// <inheritdoc cref="ILayerDriver.WriteDiff"/>
    internal WrittenTar WriteDiff(DiffRequest request, Stream target, CancellationToken stop)
    {
        if (!request.IsFromParent) return WriteCompared(request, target, stop);
        // Whether all of the layer is in its directory is known when it has been walked. A file can be begun again; for anything else it is walked before.
        if (!target.CanSeek && NeedsComparison(request)) return WriteCompared(request, target, stop);
        var start = target.CanSeek ? target.Position : 0;
        try
        {
            using var layer = new LayerTarget(request.Layer.Path, request.Parents, format);
            var exact = request.Exact ? ExactDiff.Write(layer.Root, layer.Directory, target, request.Expected, stop) : null;
            return Written(exact ?? NativeDiff.Write(layer.Root, format, layer.Below, request.Layer.Ids, target, stop, options.RootMode));
        }
        catch (ComparisonNeededException) when (target.CanSeek)
        {
            target.Position = start;
            target.SetLength(start);
            return WriteCompared(request, target, stop);
        }
    }

    /// <inheritdoc cref="ILayerDriver.Changes"/>
    internal IReadOnlyList<LayerChange> Changes(DiffRequest request)
    {
        var fromParent = request.IsFromParent;
        if (fromParent)
        {
            try
            {
                using var layer = new LayerTarget(request.Layer.Path, request.Parents, format);
                return NativeChanges.List(layer.Root, format, layer.Below);
            }
            catch (ComparisonNeededException)
            {
                // Below, the trees are compared.
            }
        }

        using var views = new LayerViews(view, request, follows: fromParent);
        return NaiveDiff.Changes(views.From, views.Layer, format, CancellationToken.None);
    }

    /// <inheritdoc cref="ILayerDriver.Measure"/>
    internal static ContentUsage Measure(LayerLocation layer)
    {
        using var root = Libc.OpenDirectory(layer.Path + "/diff");
        var (bytes, inodes, content) = UsageMeter.Measure(root, null, out var last);
        return new ContentUsage(bytes, inodes, content) { LastChange = last };
    }

    /// <inheritdoc cref="ILayerDriver.Verify"/>
    internal IReadOnlyList<string> Verify(LayerLocation layer, IReadOnlyList<LayerLocation> parents, bool full, CancellationToken stop)
    {
        using var content = OpenToVerify(layer, parents);
        using var record = ExactDiff.OpenRecord(content.Directory);
        return record is null ? [$"the record of its archive, {ExtractTarget.RecordName}, is missing"]
            : ContentVerifier.Verify(content.Root, record, format, full, stop, content.ToExtract.Below, !options.IgnoreChownErrors, layer.Ids);
    }

    private LayerTarget Target(StagedLayer staged, IReadOnlyList<LayerLocation>? parents) =>
        new(staged.Path, parents, format, options.NewOwners(staged.Ids), options.RootMode);

    /// <summary>A layer is not damaged by what happened to those below it.</summary>
    private LayerTarget OpenToVerify(LayerLocation layer, IReadOnlyList<LayerLocation> parents)
    {
        try
        {
            return new LayerTarget(layer.Path, parents, format);
        }
        catch (LinuxException e) when (e.Errno is Errno.ENOENT or Errno.ENOTDIR)
        {
            return new LayerTarget(layer.Path, parents: null, format);
        }
    }

    private WrittenTar WriteCompared(DiffRequest request, Stream target, CancellationToken stop)
    {
        using var views = new LayerViews(view, request, follows: request.IsFromParent);
        return Written(NaiveDiff.Write(views.From, views.Layer, format, request.Layer.Ids, target, stop, options.RootMode));
    }

    private bool NeedsComparison(DiffRequest request)
    {
        if (request.Exact) return false; // A sealed layer was never written to by a mount that keeps content elsewhere.
        try
        {
            using var layer = new LayerTarget(request.Layer.Path, request.Parents, format);
            NativeChanges.List(layer.Root, format, layer.Below);
            return false;
        }
        catch (ComparisonNeededException)
        {
            return true;
        }
    }

    private static WrittenTar Written(TarSummary tar) => new(tar.DiffId, tar.Size, tar.Entries, tar.Uids, tar.Gids, tar.Warnings);
}
