using StorageActors.Archive.Apply;
using StorageActors.Drivers;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.Store;

namespace StorageActors.DriverOperations;

/// <summary>
/// Makes a staging directory with its lock, enters it in <see cref="StagedLayers"/> and has the driver begin the layer. With the parents left out the
/// driver must be able to rebase.
/// </summary>
internal sealed record BeginLayer(TicketId Ticket, LayerId Layer, bool Writable, IReadOnlyList<LayerLocation>? Parents) : DriverOperation<Nothing>
{
    internal override string Verb => "begin";

    /// <summary>A copying driver brings the whole parent here.</summary>
    internal override OperationLane Lane => OperationLane.Content;

    internal override Nothing Execute(DriverServices services, CancellationToken stop)
    {
        var staging = services.Staged.Find(Ticket);
        if (staging is null)
        {
            staging = StagingDirectory.Create(services.Layout, Ticket, Layer, Writable);
            staging.Layer.Parents = Parents;
            services.Staged.Add(Ticket, staging);
        }

        CrashPoint.Reached(CrashPoint.StagingCreated);
        services.Driver.Begin(staging.Layer);
        return Nothing.Instance;
    }
}

/// <summary>Fills a staged layer from a blob; <paramref name="Progress"/> is told by <see cref="ExtractionAdvanced"/>.</summary>
internal sealed record ExtractLayer(
    TicketId Ticket, BlobSource Source, StoreProtocol.Expectations Expect, long MaximumSize, long MaximumEntries, Akka.Actor.IActorRef? Progress)
    : DriverOperation<ExtractResult>
{
    internal override string Verb => "extract";

    internal override OperationLane Lane => OperationLane.Content;

    /// <summary>The stream is consumed.</summary>
    internal override bool Repeatable => false;

    internal override ExtractResult Execute(DriverServices services, CancellationToken stop)
    {
        using var blob = BlobStreams.OpenSource(Source, services.Transfers, stop);
        var options = new ExtractOptions
        {
            ExpectedDiffId = Expect.DiffId,
            ExpectedBlobDigest = Expect.BlobDigest,
            ExpectedBlobSize = Expect.BlobSize,
            MaximumSize = Math.Min(MaximumSize, Expect.MaximumSize ?? long.MaxValue),
            MaximumEntries = Math.Min(MaximumEntries, Expect.MaximumEntries ?? long.MaxValue),
        };
        var observer = Progress is null ? null : new ExtractionReporter(Ticket, Progress, services.Time);
        var result = services.Driver.Extract(services.Staged[Ticket], blob, options, observer, stop);
        services.Metrics.Extracted(result.Size);
        CrashPoint.Reached(CrashPoint.Extracted);
        return result;
    }
}

/// <summary>Settles what needed the layers below, and returns further warnings.</summary>
internal sealed record RebaseLayer(TicketId Ticket, IReadOnlyList<LayerLocation> Parents) : DriverOperation<IReadOnlyList<string>>
{
    internal override string Verb => "rebase";

    internal override OperationLane Lane => OperationLane.Content;

    internal override IReadOnlyList<string> Execute(DriverServices services, CancellationToken stop)
    {
        var layer = services.Staged[Ticket];
        layer.Parents = Parents;
        return services.Driver.Rebase(layer);
    }
}

/// <summary>Completes a staged layer and writes its record into it.</summary>
internal sealed record FinishLayer(TicketId Ticket, LayerRecord Record) : DriverOperation<Nothing>
{
    internal override string Verb => "finish";

    internal override Nothing Execute(DriverServices services, CancellationToken stop)
    {
        var layer = services.Staged[Ticket];
        services.Driver.Finish(layer);
        LayerFile.Write(layer.Path, Record);
        CrashPoint.Reached(CrashPoint.Finished);
        return Nothing.Instance;
    }
}

/// <summary>Makes all that was written to the store's file system durable: once for all layers of an image.</summary>
internal sealed record SyncContent : DriverOperation<Nothing>
{
    internal override string Verb => "sync";

    internal override OperationLane Lane => OperationLane.Content;

    internal override Nothing Execute(DriverServices services, CancellationToken stop)
    {
        CrashPoint.Reached(CrashPoint.BeforeSync);
        using var root = Libc.OpenDirectory(services.Layout.Root);
        Libc.SyncFs(root);
        CrashPoint.Reached(CrashPoint.AfterSync);
        return Nothing.Instance;
    }
}

/// <summary>
/// Renames a staged layer, complete and durable, into the store: under the file lock, if its parent is still there and nothing has its name. The
/// rename is durable when this is done.
/// </summary>
internal sealed record CommitLayer(TicketId Ticket, LayerId? Parent) : DriverOperation<Nothing>
{
    internal override string Verb => "commit";

    internal override LayerId? Turn => null;

    internal override Nothing Execute(DriverServices services, CancellationToken stop)
    {
        StagingDirectory.Commit(services.Layout, services.Lock, services.Staged[Ticket], Parent);
        return Nothing.Instance;
    }
}

/// <summary>
/// Ends a staging, committed or not: forgets the ticket and takes its directory away. What it holds is renamed to the trash; returns where, or null
/// when nothing was left. A ticket that never began is no error.
/// </summary>
internal sealed record EndStaging(TicketId Ticket) : DriverOperation<TrashedPath>
{
    internal override string Verb => "end staging";

    internal override TrashedPath Execute(DriverServices services, CancellationToken stop)
    {
        var trashed = StagingDirectory.Discard(services.Layout, Ticket);
        services.Staged.Remove(Ticket);
        return new TrashedPath(trashed);
    }
}

/// <summary>Where something was renamed to in the trash, to be collected; null when there was nothing.</summary>
internal sealed record TrashedPath(string? Path);

/// <summary>How far an extraction is; at most ten times a second.</summary>
internal sealed record ExtractionAdvanced(TicketId Ticket, long BytesRead, long Entries);
