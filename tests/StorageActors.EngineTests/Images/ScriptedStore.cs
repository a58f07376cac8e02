using Akka.Actor;
using StorageActors.Client;
using StorageActors.Protocol;

namespace StorageActors.EngineTests.Images;

/// <summary>Answers an image's commands as a store would, and remembers them. Its diffs are what was applied, uncompressed inputs given.</summary>
internal sealed class ScriptedStore : IStorageChannel
{
    private readonly Dictionary<LayerId, (LayerRecord Record, byte[] Tar)> _layers = [];
    private readonly Dictionary<Digest, byte[]> _blobs = [];
    private CatalogProtocol.PutImage? _put;

    internal List<StoreProtocol.ICommand> Commands { get; } = [];

    /// <summary>How often the next images are refused as missing a layer.</summary>
    internal int RefusePuts { get; set; }

    /// <summary>What it says of itself.</summary>
    internal StoreLimits? Limits { get; set; }

    internal CatalogProtocol.PutImage Put => _put ?? throw new InvalidOperationException("no image was put");

    internal IEnumerable<StoreProtocol.ChainItem> Applied => Commands.OfType<StoreProtocol.Apply>().SelectMany(static apply => apply.Items);

    public IActorRef? Holder => null;

    internal ImageRecord Image => new(
        Put.Id, Put.Names, Put.Layers, new Dictionary<string, string>(StringComparer.Ordinal), DateTimeOffset.UnixEpoch, Put.ManifestDigest, [],
        Put.Blobs?.Select(static blob => blob.Digest).ToArray());

    public Task<TReply> AskAsync<TReply>(StoreProtocol.ICommand command, CancellationToken stop = default) where TReply : StoreProtocol.IReply
    {
        lock (Commands)
        {
            Commands.Add(command);
            return Task.FromResult((TReply)Answer(command));
        }
    }

    public Task<OpenTransfer> OpenUploadAsync(CancellationToken stop = default) => throw new NotSupportedException();

    public Task<OpenTransfer> OpenDownloadAsync(CancellationToken stop = default) => throw new NotSupportedException();

    public IDisposable WatchProgress(TicketId ticket, IProgress<StagingProgress> observer) => new MemoryStream();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private StoreProtocol.IReply Answer(StoreProtocol.ICommand command) => command switch
    {
        StoreProtocol.Apply apply => new StoreProtocol.Applied(apply.Items.Select(Apply).ToArray()),
        CatalogProtocol.PutImage put => PutImage(put),
        CatalogProtocol.ListLayers => new CatalogProtocol.Layers(_layers.Values.Select(static layer => layer.Record).ToArray()),
        CatalogProtocol.GetBigData get => Document(get.Key),
        CatalogProtocol.ReadBlob read => Write(read.Target, _blobs[read.Digest], read.Digest),
        StoreProtocol.WriteDiff diff => Diff(diff),
        StoreProtocol.GetInfo => new StoreProtocol.Info("/", "id", "overlay", [], Limits),
        _ => throw new NotSupportedException(command.GetType().Name),
    };

    private StoreProtocol.AppliedLayer Apply(StoreProtocol.ChainItem item)
    {
        var blob = Read(item.Source);
        var diffId = item.Expect.DiffId!.Value;
        var record = new LayerRecord(
            LayerId.New(), null, LayerKind.Sealed, [], new Dictionary<string, string>(StringComparer.Ordinal), DateTimeOffset.UnixEpoch, diffId, Size: blob.Length);
        _layers[record.Id] = (record, blob);
        return new StoreProtocol.AppliedLayer(record, false, 0);
    }

    private CatalogProtocol.ImagePut PutImage(CatalogProtocol.PutImage put)
    {
        if (RefusePuts-- > 0) throw new StorageException(new StorageError(StorageErrorCode.NotFound, "put image", "no such layer"));
        _put = put;
        foreach (var blob in put.Blobs ?? []) _blobs[blob.Digest] = Read(blob.Source);
        return new CatalogProtocol.ImagePut(Image);
    }

    private CatalogProtocol.BigDataContent Document(string key)
    {
        var content = Put.Documents.Single(document => document.Key == key).Content;
        return new CatalogProtocol.BigDataContent(new BigDataItem(key, content.Length, Digest.Of(content)), content);
    }

    private StoreProtocol.DiffWritten Diff(StoreProtocol.WriteDiff diff)
    {
        var (record, tar) = _layers[diff.Layer];
        if (diff.Compression != LayerCompression.None) tar = [.. tar, 0];
        File.WriteAllBytes(diff.Target.Path!, tar);
        return new StoreProtocol.DiffWritten(record.DiffId!.Value, tar.Length, Digest.Of(tar), tar.Length);
    }

    private static CatalogProtocol.BlobRead Write(BlobTarget target, byte[] bytes, Digest digest)
    {
        File.WriteAllBytes(target.Path!, bytes);
        return new CatalogProtocol.BlobRead(digest, bytes.Length);
    }

    private static byte[] Read(BlobSource source)
    {
        var bytes = File.ReadAllBytes(source.Path!);
        return bytes.AsSpan((int)source.Offset, (int)(source.Length ?? (bytes.Length - source.Offset))).ToArray();
    }
}
