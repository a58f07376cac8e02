using StorageActors.Archive.Diff;
using StorageActors.Drivers;
using StorageActors.Protocol;
using StorageActors.Store;

namespace StorageActors.DriverOperations;

/// <summary>Computes a writable layer's tar and keeps its structure. Hold the layer first.</summary>
internal sealed record SealLayer(LayerLocation Layer, IReadOnlyList<LayerLocation> Parents, ProgressTarget? Progress = null) : DriverOperation<WrittenTar>
{
    internal override string Verb => "seal";

    internal override LayerId? Turn => Layer.Id;

    internal override OperationLane Lane => OperationLane.Content;

    internal override WrittenTar Execute(DriverServices services, CancellationToken stop)
    {
        CrashPoint.Reached(CrashPoint.BeforeSeal);
        var written = services.Driver.Seal(Layer, Parents, Progress?.Observe(services.Time), stop);
        CrashPoint.Reached(CrashPoint.AfterSeal);
        return written;
    }
}

/// <summary>Lists what differs.</summary>
internal sealed record ListChanges(DiffRequest Request) : DriverOperation<IReadOnlyList<LayerChange>>
{
    internal override string Verb => "changes";

    internal override OperationLane Lane => OperationLane.Content;

    internal override IReadOnlyList<LayerChange> Execute(DriverServices services, CancellationToken stop) => services.Driver.Changes(Request);
}

/// <summary>Measures a layer's own content.</summary>
internal sealed record MeasureLayer(LayerLocation Layer) : DriverOperation<ContentUsage>
{
    internal override string Verb => "measure";

    internal override OperationLane Lane => OperationLane.Content;

    internal override ContentUsage Execute(DriverServices services, CancellationToken stop) => services.Driver.Measure(Layer);
}

/// <summary>Shows a layer as a mount would, where nobody sees it, and takes it away again.</summary>
internal sealed record TryMount(LayerLocation Layer, IReadOnlyList<LayerLocation> Parents) : DriverOperation<bool>
{
    internal override string Verb => "mount for a look";

    internal override OperationLane Lane => OperationLane.Content;

    internal override bool Execute(DriverServices services, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        services.Driver.TryMount(Layer, Parents);
        return true;
    }
}

/// <summary>Reads all of a layer's own content, and keeps nothing of it.</summary>
internal sealed record ReadLayer(LayerLocation Layer, IReadOnlyList<LayerLocation> Parents) : DriverOperation<bool>
{
    internal override string Verb => "read layer";

    internal override OperationLane Lane => OperationLane.Content;

    internal override bool Execute(DriverServices services, CancellationToken stop)
    {
        services.Driver.WriteDiff(new DiffRequest(Layer, Parents, null, [], Exact: false), Stream.Null, stop);
        return true;
    }
}

/// <summary>
/// Compares a sealed layer's content with its recorded tar; one line for each difference that its warnings do not explain. A full one reads all content, and computes
/// the digest of the tar again.
/// </summary>
internal sealed record VerifyLayer(LayerLocation Layer, IReadOnlyList<LayerLocation> Parents, LayerRecord Record, bool Full) : DriverOperation<IReadOnlyList<string>>
{
    internal override string Verb => "verify";

    internal override OperationLane Lane => OperationLane.Content;

    internal override IReadOnlyList<string> Execute(DriverServices services, CancellationToken stop)
    {
        var differences = KnownLosses.Without(services.Driver.Verify(Layer, Parents, Full, stop), Record.Warnings);
        return differences.Count > 0 || !Full || Record.DiffId is not { } expected ? differences : CompareDigest(services, expected, stop);
    }

    private List<string> CompareDigest(DriverServices services, Digest expected, CancellationToken stop)
    {
        var written = services.Driver.WriteDiff(new DiffRequest(Layer, Parents, null, [], Exact: true, expected), Stream.Null, stop);
        if (written.DiffId != expected) return [$"its tar has the digest {written.DiffId}, not {expected}"];
        return Record.Size is { } size && size != written.Size ? [$"its tar has {written.Size} bytes, not {size}"] : [];
    }
}
