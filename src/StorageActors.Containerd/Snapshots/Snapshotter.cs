using StorageActors.Client;
using StorageActors.Grpc.Calls;
using StorageActors.Protocol;

namespace StorageActors.Containerd.Snapshots;

/// <summary>
/// The snapshots of one endpoint. It keeps nothing itself: every question is answered from the store's catalog and every change is a command to the store, whose
/// answer means that the disk has it. Two calls that contradict each other meet there.
/// </summary>
internal sealed class Snapshotter(string endpoint, StorageClient store, TimeProvider time)
{
    private readonly SnapshotNames _names = new(endpoint);
    private readonly SharedContent _shared = new(endpoint, store, time);

    /// <summary>All snapshots of the endpoint, parents before children.</summary>
    internal async Task<IReadOnlyList<Snapshot>> ListAsync(CancellationToken stop) =>
        [.. (await store.ListLayersAsync(stop)).Select(layer => Snapshot.Of(endpoint, layer)).OfType<Snapshot>()];

    /// <summary>The snapshot with this key, or name.</summary>
    /// <exception cref="GrpcException">There is none.</exception>
    internal async Task<Snapshot> GetAsync(string key, CancellationToken stop) => await FindAsync(key, stop)
        ?? throw new GrpcException(GrpcStatusCode.NotFound, $"snapshot {Shown(key)} does not exist");

    /// <summary>Makes an active snapshot, or a view, and says how to mount it. When its caller is gone by then, nothing is left of it.</summary>
    internal async Task<IReadOnlyList<MountStep>> MakeAsync(string key, string parent, bool isView, IReadOnlyDictionary<string, string> labels, CancellationToken stop)
    {
        CheckKey(key);
        CheckLabels(labels);
        var below = parent.Length == 0 ? null : await GetAsync(parent, stop);
        if (below is not null && below.State != SnapshotState.Committed)
            throw new GrpcException(GrpcStatusCode.InvalidArgument, $"parent {Shown(parent)} is not committed");
        if (await FindAsync(key, stop) is not null) throw Exists(key);
        if (!isView && labels.TryGetValue(Snapshot.RefLabel, out var content) && await _shared.OfferAsync(content, below, stop))
            throw new GrpcException(GrpcStatusCode.AlreadyExists, $"the content {content} is there: it need not be fetched");

        var written = Snapshot.Write(endpoint, key, parent, isView, time.GetUtcNow(), labels);
        written[LayerLabels.HeldBy] = _names.LeaseOf(key);
        var layer = await store.CreateAsync(below?.Content, new StoreProtocol.LayerSpec(null, [_names.Of(key)], written), CancellationToken.None);
        try
        {
            stop.ThrowIfCancellationRequested();
            return await DescribeAsync(Snapshot.Of(endpoint, layer)!, CancellationToken.None);
        }
        catch
        {
            // What cannot be removed now, since the store is stopping, say, is removed by containerd's collector, which does not know it.
            await store.RemoveAsync(layer.Id, force: true, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }
    }

    /// <summary>How to mount a snapshot that is not committed.</summary>
    internal async Task<IReadOnlyList<MountStep>> MountsAsync(string key, CancellationToken stop)
    {
        var snapshot = await GetAsync(key, stop);
        return snapshot.State != SnapshotState.Committed ? await DescribeAsync(snapshot, stop)
            : throw new GrpcException(GrpcStatusCode.FailedPrecondition, $"snapshot {Shown(key)} is committed; prepare one on it, or view it");
    }

    /// <summary>Makes a committed snapshot of an active one, durable when this returns.</summary>
    internal async Task CommitAsync(string key, string name, string parent, IReadOnlyDictionary<string, string> labels, CancellationToken stop)
    {
        CheckKey(name);
        CheckLabels(labels);
        var active = await GetAsync(key, stop);
        if (await FindAsync(name, stop) is not null) throw Exists(name);
        if (active.State != SnapshotState.Active) throw new GrpcException(GrpcStatusCode.FailedPrecondition, $"snapshot {Shown(key)} is not active");
        var below = await NewParentAsync(active, parent, stop);
        var written = Snapshot.Write(endpoint, name, below?.Key ?? active.Parent, isView: false, time.GetUtcNow(), labels);
        written[LayerLabels.HeldBy] = _names.LeaseOf(name);
        string[] names = [_names.Of(name), .. active.Layer.Names.Where(other => other != _names.Of(key))];
        await store.FreezeAsync(new StoreProtocol.Freeze(active.Layer.Id, names, written, below?.Content), CancellationToken.None);
    }

    /// <summary>Removes a snapshot on which nothing stands.</summary>
    internal async Task RemoveAsync(string key, CancellationToken stop)
    {
        var snapshot = await GetAsync(key, stop);
        // Of shared content the store knows only what it really stands on.
        if ((await store.ListLayersAsync(stop)).Any(layer => Snapshot.IsOn(endpoint, key, layer)))
            throw new GrpcException(GrpcStatusCode.FailedPrecondition, $"cannot remove snapshot {Shown(key)}: another stands on it");
        try
        {
            var held = snapshot.Layer.Labels.GetValueOrDefault(LayerLabels.HeldBy);
            await store.Channel.AskAsync<StoreProtocol.LayerRemoved>(new StoreProtocol.Remove(snapshot.Layer.Id, HeldBy: held), CancellationToken.None);
        }
        catch (StorageException e) when (e.Error.Code == StorageErrorCode.InUse)
        {
            throw new GrpcException(GrpcStatusCode.FailedPrecondition, $"cannot remove snapshot {Shown(key)}: {e.Error.Message}", e);
        }
    }

    /// <summary>Changes labels as the paths say; without any, the client's labels are replaced.</summary>
    internal async Task<Snapshot> UpdateAsync(string key, IReadOnlyDictionary<string, string> labels, IReadOnlyList<string> paths, CancellationToken stop)
    {
        CheckLabels(labels);
        var snapshot = await GetAsync(key, stop);
        var wanted = LabelUpdate.Apply(snapshot.Labels, labels, paths);
        var changes = snapshot.Change(wanted, time.GetUtcNow());
        var changed = await store.Channel.AskAsync<CatalogProtocol.Resolved>(new CatalogProtocol.ChangeLabels(snapshot.Layer.Id, changes), CancellationToken.None);
        return Snapshot.Of(endpoint, changed.Layer!)!;
    }

    /// <summary>What a snapshot itself takes; a view takes nothing.</summary>
    internal async Task<(long Bytes, long Inodes)> MeasureAsync(string key, CancellationToken stop)
    {
        var snapshot = await GetAsync(key, stop);
        if (snapshot.State == SnapshotState.View) return (0, 0);
        var usage = await store.Channel.AskAsync<StoreProtocol.Usage>(new StoreProtocol.GetUsage(snapshot.Content), stop);
        return (usage.Report.Layers[0].Bytes, usage.Report.Layers[0].Inodes);
    }

    /// <summary>A view shows its parent; it has a layer of its own only so that the parent stays.</summary>
    private async Task<IReadOnlyList<MountStep>> DescribeAsync(Snapshot snapshot, CancellationToken stop)
    {
        var options = new MountOptions(ReadOnly: snapshot.State == SnapshotState.View);
        var described = await store.Channel.AskAsync<LayerProtocol.Described>(new LayerProtocol.Describe(snapshot.Content, options), stop);
        return described.Steps;
    }

    private async Task<Snapshot?> FindAsync(string key, CancellationToken stop)
    {
        if (key.Length == 0) return null;
        try
        {
            return (await store.ResolveAsync(_names.Of(key), stop)).Layer is { } layer ? Snapshot.Of(endpoint, layer) : null;
        }
        catch (StorageException e) when (e.Error.Code == StorageErrorCode.NotFound)
        {
            return null;
        }
    }

    /// <summary>The snapshot that an active one without a parent is to be put on; null when it stays where it is.</summary>
    private async Task<Snapshot?> NewParentAsync(Snapshot active, string parent, CancellationToken stop)
    {
        if (parent.Length == 0 || parent == active.Parent) return null;
        if (active.Parent.Length > 0)
            throw new GrpcException(GrpcStatusCode.InvalidArgument, $"snapshot {Shown(active.Key)} stands on {Shown(active.Parent)}, not on {Shown(parent)}");
        var below = await GetAsync(parent, stop);
        return below.State == SnapshotState.Committed ? below : throw new GrpcException(GrpcStatusCode.FailedPrecondition, $"parent {Shown(parent)} is not committed");
    }

    private static void CheckKey(string key)
    {
        if (key.Length == 0) throw new GrpcException(GrpcStatusCode.InvalidArgument, "a snapshot's key is not empty");
    }

    private static void CheckLabels(IReadOnlyDictionary<string, string> labels)
    {
        if (labels.Keys.FirstOrDefault(Snapshot.IsOwn) is { } own) throw new GrpcException(GrpcStatusCode.InvalidArgument, $"the label {own} is the store's own");
    }

    private static GrpcException Exists(string key) => new(GrpcStatusCode.AlreadyExists, $"snapshot {Shown(key)} exists already");

    private static string Shown(string key) => key.Length <= 200 ? key : key[..197] + "...";
}
