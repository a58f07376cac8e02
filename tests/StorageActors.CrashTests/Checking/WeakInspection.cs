using StorageActors.Client;
using StorageActors.CrashTests.Model;
using StorageActors.CrashTests.Workload;
using StorageActors.Engine;
using StorageActors.Protocol;

namespace StorageActors.CrashTests.Checking;

/// <summary>
/// What <c>durability = none</c> promises after a power cut, and no more: the store opens; a full check with repair names every layer that has lost something, and marks it; a layer
/// that it does not name gives back every byte that it was given; and when what is damaged has been removed, nothing is wrong with the rest, and the store works.
/// </summary>
internal static class WeakInspection
{
    internal static async Task<IReadOnlyList<string>> RunAsync(Inspection inspection, IReadOnlyList<Replay> replays)
    {
        var violations = new List<string>();
        SnapshotMark.Check(inspection.Root, isSmall: false, violations);
        try
        {
            var engine = await StorageEngine.StartAsync(WorkloadProgram.Configure(inspection.Root, inspection.Store, "OFF")).ConfigureAwait(false);
            await using var stopping = engine.ConfigureAwait(false);
            var store = engine.Client;
            var found = (await CheckAsync(store, repair: true).ConfigureAwait(false)).Where(static finding => !finding.Repaired).Select(static finding => finding.Subject).ToHashSet(StringComparer.Ordinal);
            foreach (var layer in (await store.ListLayersAsync().ConfigureAwait(false)).Where(layer => layer.Damage is null && !found.Contains(layer.Id.Value)))
                await ReadAsync(store, layer, replays, violations).ConfigureAwait(false);
            await RemoveDamagedAsync(store, found).ConfigureAwait(false);
            violations.AddRange((await CheckAsync(store, repair: false).ConfigureAwait(false)).Select(static finding => $"after the repair: {finding.Kind} {finding.Subject}: {finding.Message}"));
            await StoreInspection.UseAsync(store, violations).ConfigureAwait(false);
        }
        catch (StorageException e)
        {
            violations.Add(e.ToString());
        }

        return violations;
    }

    private static async Task<IReadOnlyList<Finding>> CheckAsync(StorageClient store, bool repair) =>
        (await store.Channel.AskAsync<StoreProtocol.Checked>(new StoreProtocol.Check(Full: true, Repair: repair)).ConfigureAwait(false)).Findings
            .Where(static finding => !finding.Note).ToList();

    private static async Task ReadAsync(StorageClient store, LayerRecord layer, IReadOnlyList<Replay> replays, List<string> violations)
    {
        if (layer.DiffId is not { } diff) return;
        var certain = replays.Select(replay => replay.Certain.Layers.GetValueOrDefault(layer.Id.Value)).FirstOrDefault(static known => known is not null);
        if (certain is { DiffId: { } given, Content: not null } && given != diff) violations.Add($"layer {layer.Id} is {diff}, not {given}");
        try
        {
            using var tar = new MemoryStream();
            await store.WriteDiffAsync(layer.Id, tar).ConfigureAwait(false);
            if (Digest.Of(tar.GetBuffer().AsSpan(0, (int)tar.Length)) != diff) violations.Add($"layer {layer.Id} gives back other bytes than {diff}");
        }
        catch (StorageException e)
        {
            violations.Add($"layer {layer.Id} cannot be read back, and the check did not name it: {e.Message}");
        }
    }

    /// <summary>What was named goes, and so does what rests on it: images first, then layers from the top down. All else stays.</summary>
    private static async Task RemoveDamagedAsync(StorageClient store, HashSet<string> found)
    {
        var layers = await store.ListLayersAsync().ConfigureAwait(false);
        var gone = layers.Where(layer => layer.Damage is not null || found.Contains(layer.Id.Value)).Select(static layer => layer.Id).ToHashSet();
        while (layers.Where(layer => layer.Parent is { } parent && gone.Contains(parent)).Count(layer => gone.Add(layer.Id)) > 0)
        {
            // Until nothing more rests on what goes.
        }

        foreach (var image in await store.ListImagesAsync().ConfigureAwait(false))
        {
            if (image.Layers.Any(gone.Contains) || found.Contains(image.Id.Value)) await store.RemoveImageAsync(image.Id, force: true).ConfigureAwait(false);
        }

        // Layers that nothing else needed went with their image.
        gone.IntersectWith((await store.ListLayersAsync().ConfigureAwait(false)).Select(static layer => layer.Id));

        while (gone.Count > 0)
        {
            var tops = gone.Where(layer => !layers.Any(other => other.Parent == layer && gone.Contains(other.Id))).ToList();
            foreach (var top in tops)
            {
                await store.RemoveAsync(top, force: true).ConfigureAwait(false);
                gone.Remove(top);
            }
        }
    }
}
