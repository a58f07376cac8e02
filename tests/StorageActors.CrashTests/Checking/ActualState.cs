using System.Collections.Immutable;
using StorageActors.CrashTests.Model;
using StorageActors.CrashTests.Workload;
using StorageActors.Protocol;

namespace StorageActors.CrashTests.Checking;

/// <summary>What the store says of one worker's part, in the words of the model.</summary>
internal static class ActualState
{
    private const string External = "external";

    internal static WorkerModel Of(WorkerModel worker, IReadOnlyList<LayerRecord> layers, IReadOnlyList<ImageRecord> images, IReadOnlyList<MountRecord> mounts)
    {
        var state = WorkerModel.Empty(worker.Worker) with { Next = worker.Next };
        foreach (var layer in layers.Where(layer => layer.Id.Value.StartsWith(worker.Prefix, StringComparison.Ordinal)))
        {
            var known = worker.Layers.GetValueOrDefault(layer.Id.Value);
            state = state.With(new LayerModel(
                layer.Id.Value, layer.Parent?.Value, layer.DiffId, known?.Content, [.. layer.Names], layer.Labels.ToImmutableSortedDictionary(StringComparer.Ordinal),
                known?.Files ?? ImmutableSortedDictionary<string, int>.Empty));
        }

        foreach (var image in images.Where(image => image.Labels.GetValueOrDefault(WorkerModel.WorkerLabel) == worker.Prefix))
        {
            state = state.With(new ImageModel(
                image.Id.Value, [.. image.Names], [.. image.Layers.Select(static layer => layer.Value)],
                image.BigData.ToImmutableSortedDictionary(static item => item.Key, static item => item.Digest, StringComparer.Ordinal), image.Blobs is { Count: > 0 }));
        }

        var leases = mounts.Where(mount => mount.Layer.Value.StartsWith(worker.Prefix, StringComparison.Ordinal))
            .SelectMany(static mount => mount.Leases.Select(lease => (mount.Layer, Lease: lease)));
        return state with { Leases = [.. leases.Select(static one => $"{one.Layer} {one.Lease.Lease}{(one.Lease.Owner == External ? "" : $" of {one.Lease.Owner}")}")] };
    }

    /// <summary>Fills in what only the store can know: the digest of a seal whose answer was not heard, and which leases a reboot has left.</summary>
    internal static WorkerModel Resolve(WorkerModel possible, WorkerModel actual)
    {
        foreach (var layer in possible.Layers.Values.Where(static layer => layer.DiffId == SealStep.Unheard))
        {
            if (actual.Layers.GetValueOrDefault(layer.Id)?.DiffId is { } diff) possible = possible.With(layer with { DiffId = diff });
        }

        // A lease is answered before the journal has it.
        return possible.MayLeave(actual) ? possible with { Leases = actual.Leases, Unsettled = actual.Unsettled, HeldByProcess = actual.HeldByProcess } : possible;
    }

    /// <summary>What containers wrote is in the layer, sealed or not.</summary>
    internal static void CompareFiles(string root, WorkerModel model, List<string> violations)
    {
        foreach (var layer in model.Layers.Values)
        {
            foreach (var (file, seed) in layer.Files)
            {
                var path = Path.Combine(root, "overlay", layer.Id, "diff", file);
                if (!File.Exists(path) || !File.ReadAllBytes(path).AsSpan().SequenceEqual(Contents.File(seed))) violations.Add($"layer {layer.Id} has lost {file}, which was written to it");
            }
        }
    }

    /// <summary>How the store differs from the state that is certain.</summary>
    internal static string Explain(Replay replay, WorkerModel actual)
    {
        var (expected, found) = (replay.Certain.Lines(), actual.Lines());
        var differences = expected.Except(found, StringComparer.Ordinal).Select(static line => "- " + line).Concat(found.Except(expected, StringComparer.Ordinal).Select(static line => "+ " + line));
        return $"worker {replay.Certain.Worker} is in none of the {replay.Possible.Count} states that it may be in; open was {replay.Open?.ToString() ?? "nothing"}; against the certain state:\n    {string.Join("\n    ", differences)}";
    }
}
