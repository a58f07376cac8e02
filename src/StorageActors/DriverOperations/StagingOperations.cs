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
internal sealed record BeginLayer(TicketId Ticket, LayerId Layer, bool Writable, IReadOnlyList<LayerLocation>? Parents, IdMap? Ids = null) : DriverOperation<Nothing>
{
    internal override string Verb => "begin";

    /// <summary>A copying driver brings the whole parent here.</summary>
    internal override OperationLane Lane => OperationLane.Content;

    internal override Nothing Execute(DriverServices services, CancellationToken stop)
    {
        var staging = services.Staged.Find(Ticket);
        if (staging is null)
        {
            staging = StagingDirectory.Create(services.Layout, Ticket, Layer, Writable, Ids);
            staging.Layer.Parents = Parents;
            services.Staged.Add(Ticket, staging);
        }

        CrashPoint.Reached(CrashPoint.StagingCreated);
        staging.Layer.Stop = stop;
        services.Driver.Begin(staging.Layer);
        // What cannot be made leaves no mark; what can be is marked before it is in the store.
        if (Ids is { } ids && !ids.IsHost()) StoreFormat.Use(services.Layout.Root, StoreFormat.IdMaps);
        CrashPoint.Reached(CrashPoint.LayerBegun);
        return Nothing.Instance;
    }
}

/// <summary>Fills a staged layer from a blob; <paramref name="Progress"/> is told by <see cref="ExtractionAdvanced"/>.</summary>
internal sealed record ExtractLayer(
    TicketId Ticket, BlobSource Source, StoreProtocol.Expectations Expect, ExtractionLimits Limits, Akka.Actor.IActorRef? Progress)
    : DriverOperation<ExtractResult>
{
    internal override string Verb => "extract";

    internal override OperationLane Lane => OperationLane.Content;

    /// <summary>The stream is consumed.</summary>
    internal override bool Repeatable => false;

    internal override ExtractResult Execute(DriverServices services, CancellationToken stop)
    {
        using var blob = BlobStreams.OpenSource(Source, services.Transfers, stop);
        var observer = Progress is null ? null : new ExtractionReporter(Ticket, Progress, services.Time);
        var result = services.Driver.Extract(services.Staged[Ticket], blob, Limits.OptionsFor(Expect), observer, stop);
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
        var warnings = services.Driver.Rebase(layer);
        CrashPoint.Reached(CrashPoint.Rebased);
        return warnings;
    }
}

/// <summary>Completes a staged layer, and writes its documents and its record into it; returns the record, with the documents in it.</summary>
internal sealed record FinishLayer(TicketId Ticket, LayerRecord Record, IReadOnlyList<BigData> Documents) : DriverOperation<LayerRecord>
{
    internal override string Verb => "finish";

    /// <summary>Digests take their time.</summary>
    internal override OperationLane Lane => Documents.Count == 0 ? base.Lane : OperationLane.Content;

    internal override LayerRecord Execute(DriverServices services, CancellationToken stop)
    {
        var layer = services.Staged[Ticket];
        services.Driver.Finish(layer);
        var record = Documents.Count == 0 ? Record : Record with { BigData = LayerDocuments.StageAll(layer.Path, Documents) };
        LayerFile.Stage(layer.Path, record);
        if (Documents.Count > 0) StoreFormat.Use(services.Layout.Root, StoreFormat.LayerDocuments);
        CrashPoint.Reached(CrashPoint.Finished);
        return record;
    }
}

/// <summary>
/// Makes all that was written to the store's file system durable: once for all layers of an image, and for whoever waits at the same time. The kernel
/// reports a write error to descriptors that were open before it: those are the locks of the stagings that are named.
/// </summary>
internal sealed record SyncContent(IReadOnlyList<TicketId> Tickets) : DriverOperation<Nothing>
{
    internal override string Verb => "sync";

    internal override OperationLane Lane => OperationLane.Content;

    internal override Nothing Execute(DriverServices services, CancellationToken stop)
    {
        CrashPoint.Reached(CrashPoint.BeforeSync);
        var stagings = Tickets.Select(services.Staged.Find).OfType<LockedStaging>().ToList();
        if (stagings.Count == 0) SyncRoot(services.Layout);

        // The first writes all; to the others nothing is left to be written, and they only say whether something went wrong.
        foreach (var staging in stagings) Libc.SyncFs(staging.Lock.File);
        CrashPoint.Reached(CrashPoint.AfterSync);
        return Nothing.Instance;
    }

    private static void SyncRoot(StoreLayout layout)
    {
        using var root = Libc.OpenDirectory(layout.Root);
        Libc.SyncFs(root);
    }
}

/// <summary>
/// Renames a staged layer, complete and durable, into the store: under the file lock, if its parent is still there and nothing has its name.
/// </summary>
/// <param name="Ticket">Its ticket.</param>
/// <param name="Parent">Its parent.</param>
/// <param name="Durable">Whether the disk has the rename when this is done, and with it those before: the last of a chain is enough.</param>
internal sealed record CommitLayer(TicketId Ticket, LayerId? Parent, bool Durable) : DriverOperation<Nothing>
{
    internal override string Verb => "commit";

    internal override Nothing Execute(DriverServices services, CancellationToken stop)
    {
        StagingDirectory.Commit(services.Layout, services.Lock, services.Staged[Ticket], Parent, Durable);
        return Nothing.Instance;
    }
}

/// <summary>
/// Ends a staging, committed or not: forgets the ticket and takes its directory away. What it holds is renamed to the trash; returns where, or null
/// when nothing was left. A ticket that never began is no error.
/// </summary>
/// <param name="Ticket">The staging.</param>
/// <param name="Last">Whether nobody is going to try again: then the lock is given back whatever happens, so that a sweep can take the directory.</param>
internal sealed record EndStaging(TicketId Ticket, bool Last = false) : DriverOperation<TrashedPath>
{
    internal override string Verb => "end staging";

    internal override TrashedPath Execute(DriverServices services, CancellationToken stop)
    {
        try
        {
            Retire(services);
            var trashed = StagingDirectory.Discard(services.Layout, Ticket);
            CrashPoint.Reached(CrashPoint.StagingEnded);
            services.Staged.Remove(Ticket);
            return new TrashedPath(trashed);
        }
        finally
        {
            if (Last) services.Staged.Remove(Ticket);
        }
    }

    /// <summary>What a finished layer that is not committed has outside of its directory would lead to nothing.</summary>
    private void Retire(DriverServices services)
    {
        var staged = services.Layout.StagedLayer(Ticket);
        if (services.Staged.Find(Ticket) is { } staging && Libc.TryStat(staged, out _) == Errno.None)
            services.Driver.Retire(new LayerLocation(staging.Layer.Id, staged));
    }
}

/// <summary>Where something was renamed to in the trash, to be collected; null when there was nothing.</summary>
internal sealed record TrashedPath(string? Path);

/// <summary>How far an extraction is; at most ten times a second.</summary>
internal sealed record ExtractionAdvanced(TicketId Ticket, long BytesRead, long Entries);
