using System.Security.Cryptography;
using StorageActors.Client;
using StorageActors.Docker.Wire;
using StorageActors.Protocol;

namespace StorageActors.Docker.GraphDriver;

/// <summary>
/// Docker's mounts. Each <c>Get</c> is a lease of its own, named after the endpoint and the layer, which is all that Docker says of a container. It belongs to no
/// process: containers outlive the daemon, and both outlive this node. Each <c>Put</c> ends one of them; the last one unmounts.
/// </summary>
internal sealed class GraphMounts(string endpoint, GraphLayers layers, StorageClient store)
{
    private readonly string _prefix = endpoint + ":";

    /// <summary>
    /// <c>Init</c>: a daemon begins. What a daemon before it held more than once, and did not let go of, is held once: that is what Docker's own drivers count for a
    /// mount they find.
    /// </summary>
    internal async Task BeginAsync(InitRequest request, CancellationToken stop)
    {
        if (request.Opts is { Count: > 0 } options)
            throw GraphLayers.Refusal(StorageErrorCode.Unsupported, "init", $"the storage option {options[0]} is not known here; settings stand in the node's configuration");
        if (request.UidMaps is { Count: > 0 } || request.GidMaps is { Count: > 0 })
            throw GraphLayers.Refusal(StorageErrorCode.Unsupported, "init", "user namespaces are not supported here; start dockerd without --userns-remap");
        foreach (var (layer, leases) in await LeasesAsync(stop))
        {
            foreach (var lease in leases.Skip(1)) await ReleaseAsync(layer, lease);
        }
    }

    /// <summary><c>Get</c>: mounts with the first lease. When its caller is gone by then, nothing is left of it: he will ask again.</summary>
    internal async Task<GetReply> GetAsync(LayerRequest request, CancellationToken stop)
    {
        var layer = await layers.GetAsync(request.Id, stop);
        var options = string.IsNullOrEmpty(request.MountLabel) ? MountOptions.Default : new MountOptions(Options: [$"context=\"{request.MountLabel}\""]);
        var lease = LeaseId.Parse($"{_prefix}{layer.Id}/{RandomNumberGenerator.GetHexString(8, lowercase: true)}");
        var acquired = await store.Channel.AskAsync<LayerProtocol.Acquired>(new LayerProtocol.Acquire(layer.Id, lease, options), CancellationToken.None);
        if (!stop.IsCancellationRequested) return new GetReply(acquired.MountPath);
        await ReleaseAsync(layer.Id, lease);
        throw new OperationCanceledException(stop);
    }

    /// <summary><c>Put</c>: ends the newest lease. Without one there is nothing to do: the call came twice, or the machine was restarted.</summary>
    internal async Task PutAsync(LayerRequest request, CancellationToken stop)
    {
        var layer = await layers.FindAsync(request.Id, stop);
        while (layer is not null && (await LeasesAsync(CancellationToken.None)).GetValueOrDefault(layer.Id) is { Count: > 0 } leases)
        {
            if (await ReleaseAsync(layer.Id, leases[^1])) return;
        }
    }

    /// <summary><c>Remove</c>: what was gotten and never put is let go of; what others hold is not.</summary>
    internal async Task RemoveAsync(LayerRequest request, CancellationToken stop)
    {
        if (await layers.FindAsync(request.Id, stop) is not { } layer) return;
        foreach (var lease in (await LeasesAsync(CancellationToken.None)).GetValueOrDefault(layer.Id) ?? []) await ReleaseAsync(layer.Id, lease);
        try
        {
            await store.RemoveAsync(layer.Id, stop: CancellationToken.None);
        }
        catch (StorageException e) when (e.Error.Code == StorageErrorCode.NotFound)
        {
            // The same call came twice.
        }
    }

    /// <summary><c>Cleanup</c>: the daemon ends, after its last container.</summary>
    internal async Task CleanupAsync()
    {
        foreach (var (layer, leases) in await LeasesAsync(CancellationToken.None))
        {
            foreach (var lease in leases) await ReleaseAsync(layer, lease);
        }
    }

    /// <summary>Where a layer is mounted; null if it is not.</summary>
    internal async Task<string?> PathAsync(LayerId layer, CancellationToken stop) =>
        (await store.ListMountsAsync(stop)).FirstOrDefault(mount => mount.Layer == layer)?.Path;

    /// <summary>The endpoint's leases, oldest first.</summary>
    private async Task<Dictionary<LayerId, List<LeaseId>>> LeasesAsync(CancellationToken stop) =>
        (await store.ListMountsAsync(stop)).GroupBy(static mount => mount.Layer).ToDictionary(
            static mounts => mounts.Key,
            mounts => mounts.SelectMany(static mount => mount.Leases).Select(static lease => lease.Lease).Where(lease => lease.Value.StartsWith(_prefix, StringComparison.Ordinal)).ToList());

    /// <summary>False when somebody else was faster.</summary>
    private async Task<bool> ReleaseAsync(LayerId layer, LeaseId lease)
    {
        try
        {
            await store.UnmountAsync(layer, lease, CancellationToken.None);
            return true;
        }
        catch (StorageException e) when (e.Error.Code is StorageErrorCode.NotFound or StorageErrorCode.WrongState)
        {
            return false;
        }
    }
}
