using System.Collections.Concurrent;
using StorageActors.Client;
using StorageActors.Docker.Wire;
using StorageActors.Protocol;

namespace StorageActors.Docker.GraphDriver;

/// <summary>
/// Docker's layers: each is a layer of the store with the id that Docker chose, marked with the endpoint's name. It stays writable until it is filled from a tar or
/// the first layer is put on it; nobody says beforehand which layers will be written to through their mount.
/// </summary>
internal sealed class GraphLayers(string endpoint, StorageClient store)
{
    private const string EndpointLabel = "storage-actors/docker.endpoint";

    /// <summary>The two that put layers on one writable layer at the same time freeze it once.</summary>
    private readonly ConcurrentDictionary<LayerId, Lazy<Task>> _freezing = [];

    /// <summary><c>Create</c> and <c>CreateReadWrite</c>: here they are the same.</summary>
    internal async Task CreateAsync(LayerRequest request, CancellationToken stop)
    {
        var id = IdOf(request.Id);
        if (request.StorageOpt is { Count: > 0 } options)
            throw Refusal(StorageErrorCode.Unsupported, "create", $"the storage option {options.Keys.First()} is not known here; leave out --storage-opt");
        var parent = string.IsNullOrEmpty(request.Parent) ? (LayerId?)null : (await FreezeAsync(await GetAsync(request.Parent, stop))).Id;
        try
        {
            await store.CreateAsync(parent, new StoreProtocol.LayerSpec(id, Labels: Labels()), CancellationToken.None);
        }
        catch (StorageException e) when (e.Error.Code == StorageErrorCode.AlreadyExists)
        {
            // The same call again, after an answer that was lost: nothing has been done to the layer since.
            if (await FindAsync(request.Id, stop) is not { Kind: LayerKind.Writable } made || made.Parent != parent) throw;
        }
    }

    /// <summary><c>Exists</c>.</summary>
    internal async Task<ExistsReply> ExistsAsync(LayerRequest request, CancellationToken stop) => new(await FindAsync(request.Id, stop) is not null);

    /// <summary>The layer with this id.</summary>
    /// <exception cref="StorageException">There is none.</exception>
    internal async Task<LayerRecord> GetAsync(string? id, CancellationToken stop) => await FindAsync(id, stop)
        ?? throw Refusal(StorageErrorCode.NotFound, "layer", $"layer {IdOf(id)} is unknown");

    /// <summary>The layer with this id; null when there is none that was made through this endpoint.</summary>
    internal async Task<LayerRecord?> FindAsync(string? id, CancellationToken stop)
    {
        var wanted = IdOf(id);
        try
        {
            var found = (await store.ResolveAsync(wanted.Value, stop)).Layer;
            return found?.Id == wanted && IsOwn(found) ? found : null;
        }
        catch (StorageException e) when (e.Error.Code is StorageErrorCode.NotFound or StorageErrorCode.InvalidArgument)
        {
            return null; // Also when the id is the beginning of several others'.
        }
    }

    /// <summary>Whether a layer was made through this endpoint.</summary>
    internal bool IsOwn(LayerRecord layer) => layer.Labels.TryGetValue(EndpointLabel, out var owner) && owner == endpoint;

    /// <summary>The layer as one that others can stand on.</summary>
    internal async Task<LayerRecord> FreezeAsync(LayerRecord layer)
    {
        if (layer.Kind == LayerKind.Sealed) return layer;
        var freezing = _freezing.GetOrAdd(layer.Id, id => new Lazy<Task>(() => SealOnceAsync(id)));
        try
        {
            await freezing.Value;
        }
        finally
        {
            _freezing.TryRemove(new(layer.Id, freezing));
        }

        return await GetAsync(layer.Id.Value, CancellationToken.None);
    }

    private async Task SealOnceAsync(LayerId id)
    {
        if (await FindAsync(id.Value, CancellationToken.None) is not { Kind: LayerKind.Writable }) return;
        await store.FreezeAsync(new StoreProtocol.Freeze(id, Labels: Labels()));
    }

    private Dictionary<string, string> Labels() => new(StringComparer.Ordinal) { [EndpointLabel] = endpoint };

    private static LayerId IdOf(string? id)
    {
        if (string.IsNullOrEmpty(id)) throw Refusal(StorageErrorCode.InvalidArgument, "layer", "the request has no ID");
        try
        {
            return LayerId.Parse(id);
        }
        catch (FormatException e)
        {
            throw Refusal(StorageErrorCode.InvalidArgument, "layer", e.Message);
        }
    }

    internal static StorageException Refusal(StorageErrorCode code, string operation, string message) => new(new StorageError(code, operation, message));
}
