using StorageActors.Client;
using StorageActors.Containerd.Snapshots;
using StorageActors.Containerd.Wire;
using StorageActors.Protocol;

namespace StorageActors.Containerd.Diffs;

/// <summary>Finds the snapshot that mounts belong to. A client hands back what Prepare gave it; nothing else of it is believed.</summary>
internal static class PreparedLayer
{
    private const string Upper = "upperdir=";

    /// <summary>The layer of the active snapshot that is mounted so; null when there is none.</summary>
    internal static async Task<LayerId?> FindAsync(string endpoint, StorageClient store, IReadOnlyList<Mount> mounts, CancellationToken stop)
    {
        if (mounts.Count != 1 || Directory(mounts[0].Type, mounts[0].Source, mounts[0].Options) is not { } directory) return null;
        foreach (var layer in await store.ListLayersAsync(stop))
        {
            if (layer.Kind != LayerKind.Writable || !directory.Contains(layer.Id.Value, StringComparison.Ordinal)) continue;
            if (Snapshot.Of(endpoint, layer) is not { State: SnapshotState.Active }) continue;
            var described = await store.Channel.AskAsync<LayerProtocol.Described>(new LayerProtocol.Describe(layer.Id, MountOptions.Default), stop);
            if (described.Steps.Count == 1 && Directory(described.Steps[0].Type, described.Steps[0].Source, described.Steps[0].Options) == directory) return layer.Id;
        }

        return null;
    }

    /// <summary>The directory that writes go to.</summary>
    private static string? Directory(string type, string source, IEnumerable<string> options) => type switch
    {
        "overlay" => options.FirstOrDefault(static option => option.StartsWith(Upper, StringComparison.Ordinal))?[Upper.Length..],
        "bind" => source,
        _ => null,
    };
}
