using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Apply;
using StorageActors.Drivers;
using StorageActors.Flows;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.DriverOperations;

/// <summary>
/// Fills a writable layer that is in the store from a tar. Without parents it may yet come to stand on some, so what depends on them stays open until it is
/// frozen.
/// </summary>
internal sealed record FillLayer(
    LayerLocation Layer, IReadOnlyList<LayerLocation> Parents, TicketId Ticket, BlobSource Source, StoreProtocol.Expectations Expect,
    ExtractionLimits Limits, Akka.Actor.IActorRef? Progress) : DriverOperation<ExtractResult>
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);

    internal override string Verb => "fill";

    internal override LayerId? Turn => Layer.Id;

    internal override OperationLane Lane => OperationLane.Content;

    /// <summary>The stream is consumed.</summary>
    internal override bool Repeatable => false;

    internal override ExtractResult Execute(DriverServices services, CancellationToken stop)
    {
        using var blob = BlobStreams.OpenSource(Source, services.Transfers, stop);
        var mayMove = Parents.Count == 0 && services.Driver.Capabilities.HasFlag(DriverCapabilities.Rebase);
        var staged = new StagedLayer(Layer.Id, Layer.Path, writable: true) { Parents = mayMove ? null : Parents };
        var observer = Progress is null ? null : new ExtractionReporter(Ticket, Progress, services.Time);
        var result = services.Driver.Extract(staged, blob, Limits.OptionsFor(Expect), observer, stop);
        services.Metrics.Extracted(result.Size);
        services.Filled.Add(new FilledLayer(staged, result, SettledTime(Layer, stop)));
        return result;
    }

    /// <summary>
    /// The time of the file system's clock now, of which no later change has the same: the clock goes on in ticks of milliseconds, so the next one is waited for.
    /// </summary>
    private static TimeSpec SettledTime(LayerLocation layer, CancellationToken stop)
    {
        using var directory = Libc.OpenDirectory(layer.Path);
        var now = Touch(directory);
        while (!Touch(directory).IsAfter(now))
        {
            stop.ThrowIfCancellationRequested();
            stop.WaitHandle.WaitOne(Tick);
        }

        return now;
    }

    /// <summary>The time that a file gets that is made now.</summary>
    private static TimeSpec Touch(SafeFileHandle directory)
    {
        var name = "filled"u8;
        using var file = Libc.OpenAt(directory, name, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Truncate | OpenFlags.NoFollow, 0x180);
        Libc.UnlinkAt(directory, name);
        return Libc.FStat(file).ChangeTime;
    }
}

/// <summary>
/// Completes a writable layer that becomes a sealed one: settles what its filling left open, puts it onto its parents if it had none, and measures it.
/// </summary>
/// <param name="Layer">The layer.</param>
/// <param name="Parents">What it stands on, from now on.</param>
/// <param name="IsMoved">Whether it stood on nothing until now.</param>
/// <param name="IsFilled">Whether it was filled from a tar.</param>
internal sealed record FreezeLayer(LayerLocation Layer, IReadOnlyList<LayerLocation> Parents, bool IsMoved, bool IsFilled) : DriverOperation<FrozenContent>
{
    internal override string Verb => "freeze";

    internal override LayerId? Turn => Layer.Id;

    internal override OperationLane Lane => OperationLane.Content;

    internal override FrozenContent Execute(DriverServices services, CancellationToken stop)
    {
        var filled = IsFilled ? services.Filled.Find(Layer.Id) ?? throw HalfFilled() : null;
        var usage = services.Driver.Measure(Layer);
        var isAsFilled = filled is not null && usage.LastChange is { } last && !last.IsAfter(filled.Until);
        var warnings = filled is { Staged.Parents: null } ? Settle(services.Driver, filled.Staged) : [];
        if (IsMoved) services.Driver.Finish(StagedAsItIs(filled));
        using var directory = Libc.OpenDirectory(Layer.Path);
        // The record of an archive that is not what the layer holds now would only lead astray.
        if (!isAsFilled) Libc.TryUnlinkAt(directory, System.Text.Encoding.ASCII.GetBytes(ExtractTarget.RecordName));
        MeasureLayers.Keep(directory, IsMoved || filled is not null ? services.Driver.Measure(Layer) : usage);
        return new FrozenContent(isAsFilled ? filled!.Result : null, warnings);
    }

    /// <summary>What fails is done again: until it has succeeded the parents are not settled.</summary>
    private IReadOnlyList<string> Settle(ILayerDriver driver, StagedLayer staged)
    {
        try
        {
            staged.Parents = Parents;
            return driver.Rebase(staged);
        }
        catch
        {
            staged.Parents = null;
            throw;
        }
    }

    /// <summary>With a note, so that the driver leaves the root as whoever filled the layer made it.</summary>
    private StagedLayer StagedAsItIs(FilledLayer? filled) => new(Layer.Id, Layer.Path, writable: false)
    {
        Parents = Parents, DriverState = filled?.Staged.DriverState ?? this,
    };

    private PermanentDriverException HalfFilled() => new(new StorageError(
        StorageErrorCode.WrongState, Verb, $"layer {Layer.Id} was being filled, or waited to be frozen, when the store stopped; remove it, and fill a new one", Layer.Path));
}

/// <summary>What a frozen layer holds: the tar that it was filled from, if that is all there is in it.</summary>
internal sealed record FrozenContent(ExtractResult? Filled, IReadOnlyList<string> Warnings);
