using System.Collections.Immutable;
using StorageActors.Client;
using StorageActors.CrashTests.Model;
using StorageActors.Protocol;

namespace StorageActors.CrashTests.Workload;

/// <summary>
/// One of the clients that work on a store at the same time: it says each step before it sends it and when it has the answer, so that whoever reads knows what
/// must be there when the process dies.
/// </summary>
internal sealed class Worker
{
    private readonly StorageClient _store;
    private readonly WorkloadLog _log;
    private readonly StepChooser _chooser;
    private readonly string _blobs;
    private readonly Dictionary<string, List<string>> _own = new(StringComparer.Ordinal);
    private WorkerModel _model;

    internal Worker(StorageClient store, WorkloadLog log, WorkerModel model, Random random, string blobs) =>
        (_store, _log, _model, _chooser, _blobs) = (store, log, model, new StepChooser(random), blobs);

    /// <summary>Where it stands.</summary>
    internal WorkerModel Model => _model;

    /// <summary>Steps of every kind, one after the other: after these every named place was passed that does not need luck.</summary>
    internal async Task TourAsync()
    {
        await DoAsync(_chooser.Apply(_model, count: 2)).ConfigureAwait(false);
        var top = _model.Sealed.Last().Id;
        await DoAsync(StepChooser.Create(_model, top)).ConfigureAwait(false);
        var writable = _model.Layers.Values.Last(static layer => layer.DiffId is null).Id;
        await DoAsync(new LeaseStep(writable, $"tour-{_model.Next}", Outlives: true)).ConfigureAwait(false);
        await DoAsync(new WriteStep(writable, "tour", _model.Next)).ConfigureAwait(false);
        foreach (var lease in _model.Leases.Where(lease => lease.StartsWith(writable + " ", StringComparison.Ordinal)))
            await DoAsync(new ReleaseStep(writable, lease.Split(' ')[1])).ConfigureAwait(false);
        await DoAsync(StepChooser.Seal(_model, writable)).ConfigureAwait(false);
        await DoAsync(new LabelStep(writable, "tour", "label")).ConfigureAwait(false);
        var image = StepChooser.PutImage(_model, writable, (_model.Worker * 100_000) + _model.Next);
        await DoAsync(image).ConfigureAwait(false);
        await DoAsync(new NameImageStep(image.Id, [$"{_model.Prefix}tour{_model.Next}"], [])).ConfigureAwait(false);
        await DoAsync(image with { Documents = image.Documents.SetItem("config", 7), KeepsBlobs = false }).ConfigureAwait(false);
        await DoAsync(new RemoveImageStep(image.Id)).ConfigureAwait(false);
        await DoAsync(new NameStep(writable, [], _model.Layers[writable].Names)).ConfigureAwait(false);
        await DoAsync(new RemoveStep(writable, Force: false)).ConfigureAwait(false);
    }

    /// <summary>So many leases taken and given back that the layer's journal is summed up; the mount stays all the time.</summary>
    internal async Task CycleLeasesAsync(int times)
    {
        var layer = _model.Sealed.First().Id;
        await DoAsync(new LeaseStep(layer, $"stays-{_model.Next}", Outlives: true)).ConfigureAwait(false);
        for (var cycle = 0; cycle < times; cycle++)
        {
            var lease = $"comes-{_model.Next}";
            await DoAsync(new LeaseStep(layer, lease, Outlives: true)).ConfigureAwait(false);
            await DoAsync(new ReleaseStep(layer, lease)).ConfigureAwait(false);
        }
    }

    internal async Task WorkAsync(int steps)
    {
        for (var step = 0; step < steps; step++)
        {
            await DoAsync(_chooser.Choose(_model, _own.Keys.ToHashSet(StringComparer.Ordinal))).ConfigureAwait(false);
            // Its own leases are not in the model, since they end with it; it gives them back before they are in its way.
            if (_own.Count > 2) await ReleaseOwnAsync(_own.Keys.First()).ConfigureAwait(false);
        }
    }

    private async Task DoAsync(Step step)
    {
        _log.Begin(_model.Worker, step);
        var answer = await SendAsync(step).ConfigureAwait(false);
        _log.Done(_model.Worker, answer);
        _model = step.Done(_model, answer) with { Next = _model.Next + 1 };
    }

    private async Task<string?> SendAsync(Step step)
    {
        switch (step)
        {
            case ApplyStep apply: return await ApplyAsync(apply).ConfigureAwait(false);
            case CreateStep create:
                await _store.CreateAsync(Layer(create.Parent), new StoreProtocol.LayerSpec(LayerId.Parse(create.Id), create.Names.ToArray())).ConfigureAwait(false);
                return null;
            case LeaseStep lease: return await LeaseAsync(lease).ConfigureAwait(false);
            case WriteStep write:
                await WriteAsync(write).ConfigureAwait(false);
                return null;
            case ReleaseStep release:
                await _store.UnmountAsync(LayerId.Parse(release.Layer), LeaseId.Parse(release.Lease)).ConfigureAwait(false);
                return null;
            case SealStep seal:
                return (await _store.SealAsync(LayerId.Parse(seal.Layer), seal.Names.ToArray()).ConfigureAwait(false)).DiffId!.Value.Value;
            case RemoveStep remove:
                await _store.RemoveAsync(LayerId.Parse(remove.Layer), remove.Force).ConfigureAwait(false);
                _own.Remove(remove.Layer);
                return null;
            case NameStep name:
                await AskAsync(new CatalogProtocol.ChangeNames(LayerId.Parse(name.Layer), null, name.Add.ToArray(), name.Remove.ToArray(), Steal: true)).ConfigureAwait(false);
                return null;
            case LabelStep label:
                await AskAsync(new CatalogProtocol.ChangeLabels(LayerId.Parse(label.Layer), new Dictionary<string, string>(StringComparer.Ordinal) { [label.Key] = label.Value })).ConfigureAwait(false);
                return null;
            case PutImageStep put:
                await PutImageAsync(put).ConfigureAwait(false);
                return null;
            case NameImageStep name:
                await AskAsync(new CatalogProtocol.ChangeNames(null, ImageId.Parse(name.Image), name.Add.ToArray(), name.Remove.ToArray(), Steal: true)).ConfigureAwait(false);
                return null;
            case RemoveImageStep remove:
                return string.Join(' ', await _store.RemoveImageAsync(ImageId.Parse(remove.Image)).ConfigureAwait(false));
            case ReadStep { Layer: { } layer }:
                await _store.WriteDiffAsync(LayerId.Parse(layer), Stream.Null).ConfigureAwait(false);
                return null;
            default:
                await _store.Channel.AskAsync<StoreProtocol.Usage>(new StoreProtocol.GetUsage()).ConfigureAwait(false);
                return null;
        }
    }

    private async Task<string?> ApplyAsync(ApplyStep apply)
    {
        var items = apply.Items.Select(item =>
        {
            var path = Path.Combine(_blobs, item.Id);
            File.WriteAllBytes(path, item.IsGzip ? Contents.Gzip(Contents.Tar(item.Content)) : Contents.Tar(item.Content));
            return new StoreProtocol.ChainItem(
                BlobSource.File(path), new StoreProtocol.LayerSpec(LayerId.Parse(item.Id), item.Names.ToArray(), item.Labels),
                new StoreProtocol.Expectations(apply.IsKnown ? item.DiffId : null));
        }).ToArray();
        await _store.ApplyAsync(new StoreProtocol.Apply(Layer(apply.Parent), items, apply.Reuse)).ConfigureAwait(false);
        foreach (var item in items) File.Delete(item.Source.Path!);
        return null;
    }

    private async Task<string?> LeaseAsync(LeaseStep lease)
    {
        await _store.MountAsync(LayerId.Parse(lease.Layer), lease: LeaseId.Parse(lease.Lease), outlive: lease.Outlives).ConfigureAwait(false);
        if (lease.Outlives) return null;
        if (_own.TryGetValue(lease.Layer, out var leases)) leases.Add(lease.Lease);
        else _own.Add(lease.Layer, [lease.Lease]);
        return null;
    }

    private async Task ReleaseOwnAsync(string layer)
    {
        _own.Remove(layer, out var leases);
        foreach (var lease in leases!) await _store.UnmountAsync(LayerId.Parse(layer), LeaseId.Parse(lease)).ConfigureAwait(false);
    }

    private async Task WriteAsync(WriteStep write)
    {
        var mount = (await _store.ListMountsAsync().ConfigureAwait(false)).First(mount => mount.Layer.Value == write.Layer);
        await File.WriteAllBytesAsync(Path.Combine(mount.Path, write.File), Contents.File(write.Content)).ConfigureAwait(false);
    }

    private async Task PutImageAsync(PutImageStep put)
    {
        List<ImageBlob> blobs = [];
        if (put.KeepsBlobs)
        {
            var tar = Contents.Tar(_model.Layers[put.Layers[0]].Content!.Value);
            var path = Path.Combine(_blobs, put.Id);
            await File.WriteAllBytesAsync(path, tar).ConfigureAwait(false);
            blobs.Add(new ImageBlob(Digest.Of(tar), tar.Length, BlobSource.File(path)));
        }

        var documents = put.Documents.Select(static document => new BigData(document.Key, Contents.Document(document.Value))).ToArray();
        var labels = new Dictionary<string, string>(StringComparer.Ordinal) { [WorkerModel.WorkerLabel] = _model.Prefix };
        await _store.PutImageAsync(new CatalogProtocol.PutImage(
            ImageId.Parse(put.Id), put.Names.ToArray(), put.Layers.Select(LayerId.Parse).ToArray(), null, documents, labels, blobs.Count == 0 ? null : blobs)).ConfigureAwait(false);
        foreach (var blob in blobs) File.Delete(blob.Source.Path!);
    }

    private Task<CatalogProtocol.Resolved> AskAsync(StoreProtocol.ICommand command) => _store.Channel.AskAsync<CatalogProtocol.Resolved>(command);

    private static LayerId? Layer(string? id) => id is null ? null : LayerId.Parse(id);
}
