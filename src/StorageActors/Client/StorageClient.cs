using StorageActors.Protocol;

namespace StorageActors.Client;

/// <summary>
/// The messages of the store as typed asynchronous methods. Each throws <see cref="StorageException"/> when the store refuses; what each command
/// guarantees stands with its message in the protocol. Safe to use from many threads; disposing ends the leases taken through it.
/// </summary>
/// <param name="channel">The way to the store; disposed with the client.</param>
public sealed partial class StorageClient(IStorageChannel channel) : IAsyncDisposable
{
    /// <summary>The way to the store, for commands that have no method here.</summary>
    public IStorageChannel Channel { get; } = channel;

    /// <summary>All layers, parents before children.</summary>
    /// <param name="stop">Gives up waiting.</param>
    public async Task<IReadOnlyList<LayerRecord>> ListLayersAsync(CancellationToken stop = default) =>
        (await Channel.AskAsync<CatalogProtocol.Layers>(new CatalogProtocol.ListLayers(), stop).ConfigureAwait(false)).Items;

    /// <summary>All images, oldest first.</summary>
    /// <param name="stop">Gives up waiting.</param>
    public async Task<IReadOnlyList<ImageRecord>> ListImagesAsync(CancellationToken stop = default) =>
        (await Channel.AskAsync<CatalogProtocol.Images>(new CatalogProtocol.ListImages(), stop).ConfigureAwait(false)).Items;

    /// <summary>All mounts and who holds them.</summary>
    /// <param name="stop">Gives up waiting.</param>
    public async Task<IReadOnlyList<MountRecord>> ListMountsAsync(CancellationToken stop = default) =>
        (await Channel.AskAsync<CatalogProtocol.Mounts>(new CatalogProtocol.ListMounts(), stop).ConfigureAwait(false)).Items;

    /// <summary>Finds what an id, a unique id prefix, a name or a mount path names.</summary>
    /// <param name="reference">What the user wrote.</param>
    /// <param name="stop">Gives up waiting.</param>
    public Task<CatalogProtocol.Resolved> ResolveAsync(string reference, CancellationToken stop = default) =>
        Channel.AskAsync<CatalogProtocol.Resolved>(new CatalogProtocol.Resolve(reference), stop);

    /// <summary>Puts an image's record and documents.</summary>
    /// <param name="image">The image.</param>
    /// <param name="stop">Gives up waiting.</param>
    public async Task<ImageRecord> PutImageAsync(CatalogProtocol.PutImage image, CancellationToken stop = default) =>
        (await Channel.AskAsync<CatalogProtocol.ImagePut>(image, stop).ConfigureAwait(false)).Image;

    /// <summary>Makes a writable layer.</summary>
    /// <param name="parent">The sealed layer below, or none.</param>
    /// <param name="spec">What it is to be called.</param>
    /// <param name="stop">Gives up waiting.</param>
    public async Task<LayerRecord> CreateAsync(LayerId? parent, StoreProtocol.LayerSpec? spec = null, CancellationToken stop = default) =>
        (await Channel.AskAsync<StoreProtocol.LayerCreated>(new StoreProtocol.Create(parent, spec ?? new()), stop).ConfigureAwait(false)).Layer;

    /// <summary>The same for a container whose ids are others on the host.</summary>
    /// <param name="parent">The sealed layer below, or none.</param>
    /// <param name="spec">What it is to be called.</param>
    /// <param name="ids">See <see cref="StoreProtocol.Create"/>.</param>
    /// <param name="stop">Gives up waiting.</param>
    public async Task<LayerRecord> CreateAsync(LayerId? parent, StoreProtocol.LayerSpec? spec, IdMap? ids, CancellationToken stop = default) =>
        (await Channel.AskAsync<StoreProtocol.LayerCreated>(new StoreProtocol.Create(parent, spec ?? new(), ids), stop).ConfigureAwait(false)).Layer;

    /// <summary>Seals a writable layer.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="names">Names to add.</param>
    /// <param name="stop">Gives up waiting.</param>
    public async Task<LayerRecord> SealAsync(LayerId layer, IReadOnlyList<string>? names = null, CancellationToken stop = default) =>
        (await Channel.AskAsync<StoreProtocol.LayerSealed>(new StoreProtocol.Seal(layer, names), stop).ConfigureAwait(false)).Layer;

    /// <summary>Makes a sealed layer of a writable one as it is, with these names and labels alone.</summary>
    /// <param name="freeze">Which layer, and what it is to be.</param>
    /// <param name="stop">Gives up waiting.</param>
    public async Task<LayerRecord> FreezeAsync(StoreProtocol.Freeze freeze, CancellationToken stop = default) =>
        (await Channel.AskAsync<StoreProtocol.LayerFrozen>(freeze, stop).ConfigureAwait(false)).Layer;

    /// <summary>
    /// Takes a lease, mounting the layer if it is the first.
    /// </summary>
    /// <param name="layer">The layer.</param>
    /// <param name="options">How to mount.</param>
    /// <param name="lease">The lease's name; a fresh one if not given.</param>
    /// <param name="outlive">Whether the lease outlives this client: it then lasts until it is released by name, or the machine restarts.</param>
    /// <param name="stop">Gives up waiting.</param>
    public async Task<MountLease> MountAsync(
        LayerId layer, MountOptions? options = null, LeaseId? lease = null, bool outlive = false, CancellationToken stop = default)
    {
        var acquire = new LayerProtocol.Acquire(layer, lease ?? LeaseId.New(), options ?? MountOptions.Default, outlive ? null : Channel.Holder);
        return new MountLease(Channel, await Channel.AskAsync<LayerProtocol.Acquired>(acquire, stop).ConfigureAwait(false));
    }

    /// <summary>Ends a lease by name; without a name the only one there is.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="lease">The lease.</param>
    /// <param name="stop">Gives up waiting.</param>
    /// <returns>How many leases are left.</returns>
    public async Task<int> UnmountAsync(LayerId layer, LeaseId? lease = null, CancellationToken stop = default) =>
        (await Channel.AskAsync<LayerProtocol.Released>(new LayerProtocol.Release(layer, lease), stop).ConfigureAwait(false)).LeasesLeft;

    /// <summary>Lists what differs between a layer and another.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="from">What to compare with; the parent if not given.</param>
    /// <param name="stop">Gives up waiting.</param>
    public async Task<IReadOnlyList<LayerChange>> ChangesAsync(LayerId layer, LayerId? from = null, CancellationToken stop = default) =>
        (await Channel.AskAsync<StoreProtocol.Changes>(new StoreProtocol.GetChanges(layer, from), stop).ConfigureAwait(false)).Items;

    /// <summary>Removes a layer.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="force">End its leases first.</param>
    /// <param name="stop">Gives up waiting.</param>
    public Task RemoveAsync(LayerId layer, bool force = false, CancellationToken stop = default) =>
        Channel.AskAsync<StoreProtocol.LayerRemoved>(new StoreProtocol.Remove(layer, force), stop);

    /// <summary>Removes an image and the layers that nothing else needs.</summary>
    /// <param name="image">The image.</param>
    /// <param name="force">End the leases of those layers, too.</param>
    /// <param name="stop">Gives up waiting.</param>
    public async Task<IReadOnlyList<LayerId>> RemoveImageAsync(ImageId image, bool force = false, CancellationToken stop = default) =>
        (await Channel.AskAsync<CatalogProtocol.ImageRemoved>(new CatalogProtocol.RemoveImage(image, force), stop).ConfigureAwait(false)).Layers;

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Channel.DisposeAsync();
}
