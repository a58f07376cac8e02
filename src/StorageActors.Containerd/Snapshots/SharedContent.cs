using StorageActors.Client;
using StorageActors.Protocol;

namespace StorageActors.Containerd.Snapshots;

/// <summary>
/// Content that need not be fetched, since the store has it: from another name space of the client, or because somebody imported it. It is known by its ChainID,
/// which stands for it and all that is below it, so whoever names that may have it. What another door's client made is left to that client, who could not remove
/// it any more.
/// </summary>
internal sealed class SharedContent(string endpoint, StorageClient store, TimeProvider time)
{
    private readonly SnapshotNames _names = new(endpoint);

    /// <summary>
    /// Whether a committed snapshot of the endpoint has the content on this parent. If none has, but a layer that is no door's, there is one from now on: an
    /// empty layer that shows the other and keeps it in the store. It is the client's, who may remove it; the other stays whoever's it is.
    /// </summary>
    /// <param name="chain">The ChainID.</param>
    /// <param name="parent">What the client wants it on; null for nothing.</param>
    /// <param name="stop">Gives up, before anything is made.</param>
    internal async Task<bool> OfferAsync(string chain, Snapshot? parent, CancellationToken stop)
    {
        var layers = await store.ListLayersAsync(stop);
        var on = parent?.Key ?? "";
        if (layers.Select(layer => Snapshot.Of(endpoint, layer)).Any(known =>
            known is { State: SnapshotState.Committed } && known.Parent == on && known.Labels.GetValueOrDefault(Snapshot.RefLabel) == chain)) return true;
        return layers.FirstOrDefault(layer => IsIt(layer, chain, parent, layers)) is { } found && await TryShowAsync(found, chain, on);
    }

    private static bool IsIt(LayerRecord layer, string chain, Snapshot? parent, IReadOnlyList<LayerRecord> layers) =>
        layer is { Kind: LayerKind.Sealed, Damage: null } && layer.ChainId?.Value == chain && !layer.Labels.Keys.Any(Snapshot.IsOwn)
        && (layer.Parent is { } below ? parent?.Chain is { } under && layers.FirstOrDefault(one => one.Id == below)?.ChainId?.Value == under : parent is null);

    private async Task<bool> TryShowAsync(LayerRecord content, string chain, string on)
    {
        // Another parent's name makes another snapshot.
        var key = on.Length == 0 ? $"shared/{chain}" : $"shared/{chain} on {on}";
        var labels = Snapshot.WriteShared(endpoint, key, on, chain, time.GetUtcNow());
        labels[LayerLabels.HeldBy] = _names.LeaseOf(key);
        try
        {
            await store.CreateAsync(content.Id, new StoreProtocol.LayerSpec(null, [_names.Of(key)], labels), CancellationToken.None);
            return true;
        }
        catch (StorageException e) when (e.Error.Code == StorageErrorCode.AlreadyExists)
        {
            return true; // Somebody asked for the same at the same time.
        }
        catch (StorageException e) when (e.Error.Code is StorageErrorCode.NotFound or StorageErrorCode.InUse or StorageErrorCode.WrongState or StorageErrorCode.Damaged)
        {
            return false; // It is being removed: the client has to fetch it.
        }
    }
}
