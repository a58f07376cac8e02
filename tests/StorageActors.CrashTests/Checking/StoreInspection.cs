using System.Collections.Immutable;
using Akka.Actor;
using StorageActors.Client;
using StorageActors.CrashTests.Model;
using StorageActors.CrashTests.Workload;
using StorageActors.Engine;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.Trash;

namespace StorageActors.CrashTests.Checking;

/// <summary>What the store is asked to show after a death.</summary>
/// <param name="Root">The store.</param>
/// <param name="Store">Its settings for whoever looks.</param>
/// <param name="IsSameKernel">Whether the kernel lived on: then mounts and what containers wrote did, too.</param>
internal sealed record Inspection(string Root, StoreKind Store, bool IsSameKernel);

/// <summary>
/// Opens a store after a death and looks at all of it: that each worker's part is in a state that it may be in, that every layer gives back what was put
/// in, that nothing is left behind, that a full check finds nothing, and that the store works.
/// </summary>
internal static class StoreInspection
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <summary>Returns where each worker stands now, and what is wrong.</summary>
    internal static async Task<(ImmutableList<WorkerModel> Models, IReadOnlyList<string> Violations)> RunAsync(Inspection inspection, IReadOnlyList<Replay> replays)
    {
        try
        {
            return await LookAsync(inspection, replays).WaitAsync(Patience * 2).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            return ([.. replays.Select(static replay => replay.Possible[0])], ["the store does not answer"]);
        }
    }

    private static async Task<(ImmutableList<WorkerModel> Models, IReadOnlyList<string> Violations)> LookAsync(Inspection inspection, IReadOnlyList<Replay> replays)
    {
        var violations = new List<string>();
        SnapshotMark.Check(inspection.Root, isSmall: false, violations);
        using var patience = new CancellationTokenSource(Patience);
        StorageEngine engine;
        try
        {
            engine = await StorageEngine.StartAsync(WorkloadProgram.Configure(inspection.Root, inspection.Store, "OFF"), stop: patience.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is StorageException or OperationCanceledException)
        {
            return ([.. replays.Select(static replay => replay.Possible[0])], [$"the store does not open: {e.Message}"]);
        }

        ImmutableList<WorkerModel> models;
        bool isSmall;
        await using (engine.ConfigureAwait(false))
        {
            models = await CompareAsync(engine.Client, inspection, replays, violations).ConfigureAwait(false);
            await ReadBackAsync(engine.Client, violations).ConfigureAwait(false);
            await Leftovers.FindAsync(engine, inspection, violations).ConfigureAwait(false);
            var found = await engine.Client.Channel.AskAsync<StoreProtocol.Checked>(new StoreProtocol.Check(Full: true), patience.Token).ConfigureAwait(false);
            violations.AddRange(found.Findings.Where(static finding => !finding.Note).Select(static finding => $"check --full: {finding.Kind} {finding.Subject}: {finding.Message}"));
            await UseAsync(engine.Client, violations).ConfigureAwait(false);
            isSmall = (await engine.Client.ListLayersAsync().ConfigureAwait(false)).Count < inspection.Store.PackFrom;
        }

        SnapshotMark.Check(inspection.Root, isSmall, violations);
        return (models, violations);
    }

    private static async Task<ImmutableList<WorkerModel>> CompareAsync(StorageClient store, Inspection inspection, IReadOnlyList<Replay> replays, List<string> violations)
    {
        var layers = await store.ListLayersAsync().ConfigureAwait(false);
        var images = await store.ListImagesAsync().ConfigureAwait(false);
        var mounts = await store.ListMountsAsync().ConfigureAwait(false);
        // A cut that is only played leaves leases of the same boot without their mounts.
        if (inspection.IsSameKernel) await WakeAsync(store, layers, mounts, violations).ConfigureAwait(false);
        foreach (var layer in layers.Where(layer => !replays.Any(replay => layer.Id.Value.StartsWith(replay.Certain.Prefix, StringComparison.Ordinal))))
            violations.Add($"nobody asked for layer {layer.Id}");
        var models = ImmutableList.CreateBuilder<WorkerModel>();
        foreach (var replay in replays)
        {
            var actual = ActualState.Of(replay.Certain, layers, images, mounts);
            var match = replay.Possible.Select(possible => ActualState.Resolve(possible, actual))
                .FirstOrDefault(possible => possible.Lines().SequenceEqual(actual.Lines(), StringComparer.Ordinal));
            if (match is null) violations.Add(ActualState.Explain(replay, actual));
            else if (inspection.IsSameKernel) ActualState.CompareFiles(inspection.Root, match, violations);
            models.Add(match ?? actual);
        }

        return models.ToImmutable();
    }

    /// <summary>What the journal has of a layer's leases is read when somebody asks for the layer: nothing may come back then that was not there.</summary>
    private static async Task WakeAsync(StorageClient store, IReadOnlyList<LayerRecord> layers, IReadOnlyList<MountRecord> before, List<string> violations)
    {
        foreach (var layer in layers)
        {
            try
            {
                await (await store.MountAsync(layer.Id, new MountOptions(ReadOnly: true)).ConfigureAwait(false)).DisposeAsync().ConfigureAwait(false);
            }
            catch (StorageException e)
            {
                violations.Add($"layer {layer.Id} cannot be mounted: {e.Message}");
            }
        }

        var after = await store.ListMountsAsync().ConfigureAwait(false);
        var (known, found) = (Leases(before), Leases(after));
        violations.AddRange(found.Except(known, StringComparer.Ordinal).Select(static lease => $"lease {lease} comes back when its layer is asked for"));
        violations.AddRange(known.Except(found, StringComparer.Ordinal).Select(static lease => $"lease {lease} ends when its layer is asked for"));

        static IReadOnlyList<string> Leases(IReadOnlyList<MountRecord> mounts) => [.. mounts.SelectMany(static mount => mount.Leases.Select(lease => $"{mount.Layer} {lease.Lease}"))];
    }

    /// <summary>The store hashes while it writes, and refuses what is not what was applied or sealed.</summary>
    private static async Task ReadBackAsync(StorageClient store, List<string> violations)
    {
        foreach (var layer in await store.ListLayersAsync().ConfigureAwait(false))
        {
            if (layer.DiffId is not { } diff) continue;
            try
            {
                using var tar = new MemoryStream();
                await store.WriteDiffAsync(layer.Id, tar).ConfigureAwait(false);
                if (Digest.Of(tar.GetBuffer().AsSpan(0, (int)tar.Length)) != diff) violations.Add($"layer {layer.Id} gives back other bytes than {diff}");
            }
            catch (StorageException e)
            {
                violations.Add($"layer {layer.Id} cannot be read back: {e.Message}");
            }
        }
    }

    /// <summary>A store that only looks sound would be none.</summary>
    internal static async Task UseAsync(StorageClient store, List<string> violations)
    {
        try
        {
            var layer = await store.CreateAsync(null).ConfigureAwait(false);
            await using (await store.MountAsync(layer.Id).ConfigureAwait(false))
            {
                // To be mounted is all that is asked.
            }

            await store.RemoveAsync(layer.Id).ConfigureAwait(false);
        }
        catch (StorageException e)
        {
            violations.Add($"the store cannot be used: {e.Message}");
        }
    }
}
