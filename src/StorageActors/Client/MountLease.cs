using StorageActors.Protocol;

namespace StorageActors.Client;

/// <summary>A claim on a mount. Disposing it releases the lease, and with the last one the layer is unmounted.</summary>
public sealed class MountLease : IAsyncDisposable
{
    private readonly IStorageChannel _channel;
    private int _released;

    internal MountLease(IStorageChannel channel, LayerProtocol.Acquired acquired) => (_channel, Acquired) = (channel, acquired);

    /// <summary>What was granted.</summary>
    public LayerProtocol.Acquired Acquired { get; }

    /// <summary>Where the layer is mounted.</summary>
    public string Path => Acquired.MountPath;

    /// <summary>Ends the lease now and says how many are left. A second release is an error of the caller.</summary>
    /// <param name="stop">Gives up waiting.</param>
    /// <exception cref="StorageException">The lease ended before; or somebody keeps the mount busy.</exception>
    public async Task<int> ReleaseAsync(CancellationToken stop = default)
    {
        Interlocked.Exchange(ref _released, 1);
        var released = await _channel.AskAsync<LayerProtocol.Released>(new LayerProtocol.Release(Acquired.Layer, Acquired.Lease), stop).ConfigureAwait(false);
        return released.LeasesLeft;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _released, 1) == 0) await ReleaseAsync().ConfigureAwait(false);
    }
}
