using StorageActors.CrashTests.Model;
using StorageActors.CrashTests.Workload;
using StorageActors.Engine;
using StorageActors.Protocol;

namespace StorageActors.CrashTests.Checking;

/// <summary>
/// What <c>durability = none</c> promises after a power cut: the store opens; no layer gives back other bytes than it was given, since a full check names what it has lost,
/// and what it reads is hashed; and a repair with the removal of what is damaged leaves a sound store.
/// </summary>
internal static class WeakInspection
{
    internal static async Task<IReadOnlyList<string>> RunAsync(Inspection inspection, IReadOnlyList<Replay> replays)
    {
        var violations = new List<string>();
        try
        {
            var engine = await StorageEngine.StartAsync(WorkloadProgram.Configure(inspection.Root, inspection.Durability, "OFF")).ConfigureAwait(false);
            await using var stopping = engine.ConfigureAwait(false);
            var store = engine.Client;
            var found = (await store.Channel.AskAsync<StoreProtocol.Checked>(new StoreProtocol.Check(Full: true, Repair: true)).ConfigureAwait(false)).Findings;
            foreach (var layer in (await store.ListLayersAsync().ConfigureAwait(false)).Where(static layer => layer.DiffId is not null))
            {
                if (layer.Damage is not null || found.Any(finding => finding.Subject == layer.Id.Value)) continue;
                var certain = replays.Select(replay => replay.Certain.Layers.GetValueOrDefault(layer.Id.Value)).FirstOrDefault(static known => known is not null);
                if (certain?.DiffId is { } diff && certain.Content is not null && diff != layer.DiffId) violations.Add($"layer {layer.Id} is {layer.DiffId}, not {diff}");
                await ReadAsync(store, layer.Id).ConfigureAwait(false);
            }

            await RemoveDamagedAsync(store, violations).ConfigureAwait(false);
        }
        catch (StorageException e)
        {
            violations.Add(e.ToString());
        }

        return violations;
    }

    /// <summary>The bytes are those of the DiffID, or it is refused to give them.</summary>
    private static async Task ReadAsync(Client.StorageClient store, LayerId layer)
    {
        try
        {
            await store.WriteDiffAsync(layer, Stream.Null).ConfigureAwait(false);
        }
        catch (StorageException e) when (e.Error.Code is StorageErrorCode.DigestMismatch or StorageErrorCode.Damaged)
        {
            // Lost, and said so.
        }
    }

    private static async Task RemoveDamagedAsync(Client.StorageClient store, List<string> violations)
    {
        foreach (var image in await store.ListImagesAsync().ConfigureAwait(false)) await store.RemoveImageAsync(image.Id, force: true).ConfigureAwait(false);
        foreach (var layer in (await store.ListLayersAsync().ConfigureAwait(false)).Reverse()) await store.RemoveAsync(layer.Id, force: true).ConfigureAwait(false);
        var left = (await store.Channel.AskAsync<StoreProtocol.Checked>(new StoreProtocol.Check(Full: true)).ConfigureAwait(false)).Findings;
        violations.AddRange(left.Select(static finding => $"after the repair: {finding.Kind} {finding.Subject}: {finding.Message}"));
    }
}
