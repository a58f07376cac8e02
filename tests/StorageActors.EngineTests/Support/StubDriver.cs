using StorageActors.Archive.Apply;
using StorageActors.Drivers;
using StorageActors.Protocol;

namespace StorageActors.EngineTests.Support;

/// <summary>A driver that does next to nothing: its layers are directories, and it mounts nothing.</summary>
internal class StubDriver : ILayerDriver
{
    public string Name => "stub";

    public DriverCapabilities Capabilities => DriverCapabilities.Rebase;

    public IReadOnlyList<StoreFact> Facts => [];

    public virtual void Begin(StagedLayer staged) => Directory.CreateDirectory(Path.Combine(staged.Path, "diff"));

    public virtual ExtractResult Extract(
        StagedLayer staged, Stream blob, ExtractOptions options, IExtractionObserver? observer, CancellationToken stop)
    {
        using var file = File.Create(Path.Combine(staged.Path, "diff", "content"));
        blob.CopyTo(file);
        var digest = Digest.Of([]);
        return new ExtractResult(digest, digest, file.Length, file.Length, LayerCompression.None, 1, [], [], []);
    }

    public virtual IReadOnlyList<string> Rebase(StagedLayer staged) => [];

    public virtual void Finish(StagedLayer staged)
    {
    }

    public virtual void Retire(LayerLocation layer)
    {
    }

    public virtual ActiveMount Mount(MountRequest request) => new(request.Layer.Path, request.Mode);

    public virtual void Unmount(LayerLocation layer, bool force)
    {
    }

    public virtual ActiveMount? FindMount(LayerLocation layer) => null;

    public virtual void TryMount(LayerLocation layer, IReadOnlyList<LayerLocation> parents)
    {
    }

    public virtual IReadOnlyList<MountStep> Describe(MountRequest request) => [];

    public virtual WrittenTar Seal(LayerLocation layer, IReadOnlyList<LayerLocation> parents, IExtractionObserver? observer, CancellationToken stop) =>
        throw new NotSupportedException();

    public virtual WrittenTar WriteDiff(DiffRequest request, Stream target, CancellationToken stop) => throw new NotSupportedException();

    public virtual IReadOnlyList<LayerChange> Changes(DiffRequest request) => [];

    public virtual ContentUsage Measure(LayerLocation layer) => new(
        Directory.EnumerateFiles(layer.Path, "*", SearchOption.AllDirectories).Sum(static file => new FileInfo(file).Length), 1, 0);

    public virtual IReadOnlyList<string> Verify(LayerLocation layer, IReadOnlyList<LayerLocation> parents, bool full, CancellationToken stop) => [];

    public virtual IReadOnlyList<string> Recover(IReadOnlyCollection<LayerId> layers) => [];

    public void Dispose()
    {
    }
}
