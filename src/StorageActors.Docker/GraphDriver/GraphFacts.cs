using StorageActors.Client;
using StorageActors.Docker.Wire;
using StorageActors.Protocol;

namespace StorageActors.Docker.GraphDriver;

/// <summary>What <c>docker info</c> and <c>docker inspect</c> show.</summary>
internal sealed class GraphFacts(GraphLayers layers, GraphMounts mounts, StorageClient store)
{
    /// <summary><c>Status</c>, at each start and each <c>info</c>.</summary>
    internal async Task<StatusReply> StatusAsync(CancellationToken stop)
    {
        var info = await store.Channel.AskAsync<StoreProtocol.Info>(new StoreProtocol.GetInfo(), stop);
        return new StatusReply(
        [
            ["Store", info.Root],
            ["Store ID", info.StoreId],
            ["Layer driver", info.Driver],
            .. info.Facts.Where(static fact => fact.Group is "engine" or "driver" or "file system").Select(static fact => new[] { fact.Name, fact.Value }),
        ]);
    }

    /// <summary><c>GetMetadata</c>: the directories of a layer under the names that Docker's overlay2 gives them.</summary>
    internal async Task<MetadataReply> MetadataAsync(LayerRequest request, CancellationToken stop)
    {
        var layer = await layers.GetAsync(request.Id, stop);
        var described = await store.Channel.AskAsync<LayerProtocol.Described>(new LayerProtocol.Describe(layer.Id, MountOptions.Default), stop);
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal) { ["LayerID"] = layer.Id.Value };
        foreach (var step in described.Steps)
        {
            if (step.Type == "bind") metadata["Dir"] = step.Source;
            foreach (var (option, name) in (ReadOnlySpan<(string, string)>)[("upperdir=", "UpperDir"), ("workdir=", "WorkDir"), ("lowerdir=", "LowerDir")])
            {
                if (step.Options.FirstOrDefault(given => given.StartsWith(option, StringComparison.Ordinal)) is { } found) metadata[name] = found[option.Length..];
            }
        }

        if (await mounts.PathAsync(layer.Id, stop) is { } path) metadata["MergedDir"] = path;
        return new MetadataReply(metadata);
    }
}
