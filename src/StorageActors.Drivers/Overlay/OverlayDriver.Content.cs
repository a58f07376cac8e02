using StorageActors.Archive.Apply;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Drivers.Overlay;

/// <summary>What goes into layers and comes out of them.</summary>
internal sealed partial class OverlayDriver
{
    private readonly OverlayWhiteouts _format;

    /// <inheritdoc/>
    public ExtractResult Extract(StagedLayer staged, Stream blob, ExtractOptions options, IExtractionObserver? observer, CancellationToken stop) =>
        DriverErrors.Guard("extract", staged.Path, () =>
        {
            using var target = new OverlayTarget(LayerDirectory.Of(staged), staged.Parents, _format);
            var result = LayerExtractor.Extract(blob, target.ToExtract, options, observer, stop, out var deferred);
            staged.DriverState = deferred;
            return result;
        });

    /// <inheritdoc/>
    public IReadOnlyList<string> Rebase(StagedLayer staged) => DriverErrors.Guard("rebase", staged.Path, () =>
    {
        var parents = CheckDepth(staged) ?? throw new InvalidOperationException($"the parents of {staged.Id} are not known yet");
        if (staged.DriverState is not DeferredDecisions { IsEmpty: false } deferred) return [];
        using var target = new OverlayTarget(LayerDirectory.Of(staged), parents, _format);
        return LayerRebase.Settle(deferred, target.ToExtract);
    });

    /// <summary>The merged root shows the attributes of the topmost directory: a layer that brings none of its own has those of the one below.</summary>
    private void InheritRoot(LayerDirectory layer, IReadOnlyList<LayerLocation> parents)
    {
        using var target = new OverlayTarget(layer, parents, _format);
        LayerRebase.Settle(new DeferredDecisions { RootIsImplied = true, RootTime = TimeSpec.Now }, target.ToExtract);
    }
}
