using StorageActors.Archive.Apply;
using StorageActors.Drivers.Differential;
using StorageActors.Protocol;

namespace StorageActors.Drivers.Overlay;

/// <summary>What goes into layers and comes out of them: see <see cref="LayerContent"/>.</summary>
internal sealed partial class OverlayDriver
{
    private readonly LayerContent _content;

    /// <inheritdoc/>
    public ExtractResult Extract(StagedLayer staged, Stream blob, ExtractOptions options, IExtractionObserver? observer, CancellationToken stop) =>
        DriverErrors.Guard("extract", staged.Path, () => _content.Extract(staged, blob, options, observer, stop));

    /// <inheritdoc/>
    public IReadOnlyList<string> Rebase(StagedLayer staged) => DriverErrors.Guard("rebase", staged.Path, () =>
        _content.Rebase(staged, CheckDepth(staged) ?? throw new InvalidOperationException($"the parents of {staged.Id} are not known yet")));

    /// <inheritdoc/>
    public WrittenTar Seal(LayerLocation location, IReadOnlyList<LayerLocation> parents, IExtractionObserver? observer, CancellationToken stop) =>
        DriverErrors.Guard("seal", location.Path, () =>
        {
            if (parents.Count + 1 > OverlayStack.MaximumLowers) throw OverlayStack.TooDeep(LayerDirectory.Of(location), parents.Count + 1);
            _mounts.CheckSealable(location);
            return _content.Seal(location, parents, observer, stop);
        });

    /// <inheritdoc/>
    public WrittenTar WriteDiff(DiffRequest request, Stream target, CancellationToken stop) =>
        DriverErrors.Guard("diff", request.Layer.Path, () => _content.WriteDiff(request, target, stop));

    /// <inheritdoc/>
    public IReadOnlyList<LayerChange> Changes(DiffRequest request) =>
        DriverErrors.Guard("changes", request.Layer.Path, () => _content.Changes(request));

    /// <inheritdoc/>
    public ContentUsage Measure(LayerLocation layer) => DriverErrors.Guard("measure", layer.Path, () => LayerContent.Measure(layer));

    /// <inheritdoc/>
    public IReadOnlyList<string> Verify(LayerLocation layer, IReadOnlyList<LayerLocation> parents, bool full, CancellationToken stop) =>
        DriverErrors.Guard("verify", layer.Path, () => _content.Verify(layer, parents, full, stop));
}
