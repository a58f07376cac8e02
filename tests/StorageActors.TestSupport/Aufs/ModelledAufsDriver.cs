using StorageActors.Archive.Apply;
using StorageActors.Drivers;
using StorageActors.Protocol;

namespace StorageActors.TestSupport.Aufs;

/// <summary>The aufs driver on the simulated kernel, whose branches are brought up to date whenever the driver is asked for something.</summary>
internal sealed class ModelledAufsDriver(ILayerDriver driver, SimulatedAufs kernel) : ILayerDriver
{
    public string Name => driver.Name;

    public DriverCapabilities Capabilities => driver.Capabilities;

    public IReadOnlyList<StoreFact> Facts => driver.Facts;

    public void Begin(StagedLayer staged) => driver.Begin(staged);

    public ExtractResult Extract(StagedLayer staged, Stream blob, ExtractOptions options, IExtractionObserver? observer, CancellationToken stop) =>
        driver.Extract(staged, blob, options, observer, stop);

    public IReadOnlyList<string> Rebase(StagedLayer staged) => driver.Rebase(staged);

    public void Finish(StagedLayer staged) => driver.Finish(staged);

    public void Retire(LayerLocation layer) => Of(layer).Retire(layer);

    public ActiveMount Mount(MountRequest request) => Of(request.Layer).Mount(request);

    public void Unmount(LayerLocation layer, bool force) => driver.Unmount(layer, force);

    public ActiveMount? FindMount(LayerLocation layer) => driver.FindMount(layer);

    public void TryMount(LayerLocation layer, IReadOnlyList<LayerLocation> parents) => Of(layer).TryMount(layer, parents);

    public IReadOnlyList<MountStep> Describe(MountRequest request) => Of(request.Layer).Describe(request);

    public WrittenTar Seal(LayerLocation layer, IReadOnlyList<LayerLocation> parents, IExtractionObserver? observer, CancellationToken stop) => Of(layer).Seal(layer, parents, observer, stop);

    public WrittenTar WriteDiff(DiffRequest request, Stream target, CancellationToken stop) => Of(request.Layer, request.From).WriteDiff(request, target, stop);

    public IReadOnlyList<LayerChange> Changes(DiffRequest request) => Of(request.Layer, request.From).Changes(request);

    public ContentUsage Measure(LayerLocation layer) => Of(layer).Measure(layer);

    public IReadOnlyList<string> Verify(LayerLocation layer, IReadOnlyList<LayerLocation> parents, bool full, CancellationToken stop) =>
        Of(layer).Verify(layer, parents, full, stop);

    public IReadOnlyList<string> Recover(IReadOnlyCollection<LayerId> layers) => driver.Recover(layers);

    public void Dispose() => driver.Dispose();

    private ILayerDriver Of(params LayerLocation?[] layers)
    {
        kernel.Settle(layers.OfType<LayerLocation>().Select(static layer => layer.Path));
        return driver;
    }
}
