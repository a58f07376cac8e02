using Akka.Actor;
using StorageActors.Catalog;
using StorageActors.DriverOperations;
using StorageActors.Protocol;
using StorageActors.Trash;

namespace StorageActors.Flows;

/// <summary><see cref="StoreProtocol.GetUsage"/>: nothing is mounted for it, and what was measured once is not measured again while it cannot change.</summary>
internal sealed class UsageFlow(FlowContext store, IActorRef requester, StoreProtocol.GetUsage command) : FlowActor(store, requester, "usage")
{
    protected override void Start()
    {
        var state = Store.View.Current;
        var one = command.Layer is { } id ? state.FindLayer(id) : null;
        if (command.Layer is { } asked && (one is null ? Refusals.NotFound(Operation, asked) : Refusals.Elsewhere(Operation, one)) is { } refusal)
        {
            Refuse(refusal);
            return;
        }

        var layers = one is null ? Store.View.Layers() : [one];
        var measured = layers.Select(layer => new MeasuredLayer(Store.Layout.Locate(layer.Id), layer.Kind == LayerKind.Sealed)).ToList();
        Perform(new MeasureLayers(measured), usages =>
            Ask<TrashProtocol.Backlog>(Store.Trash, new TrashProtocol.GetBacklog(), backlog =>
                Perform(new MeasureFileSystem(), free => AddImages(state, one is not null, new UsageReport([.. layers.Zip(usages, Usage)], backlog.Bytes, free.Bytes, free.Inodes)))));

        LayerUsage Usage(LayerRecord layer, Drivers.ContentUsage usage)
        {
            var uses = state.ChildrenOf(layer.Id).Count + state.ImagesOf(layer.Id).Count;
            return new LayerUsage(
                layer.Id, usage.Bytes, usage.Inodes, Shared: uses > 1, Reclaimable: uses == 0 && !Store.Mounts.IsHeld(layer.Id), usage.Content,
                layer.Size, layer.BigData?.Sum(static item => item.Size) ?? 0);
        }
    }

    private void AddImages(CatalogState state, bool isOneLayer, UsageReport report)
    {
        var images = state.ListImages();
        if (isOneLayer) Answer(new StoreProtocol.Usage(report));
        else Perform(new MeasureImages(images), measured => Answer(new StoreProtocol.Usage(report with
        {
            Images = [.. images.Zip(measured.Images, (image, found) => new ImageUsage(image.Id, SizeOf(state, image), found.Records, found.Blobs))],
            Blobs = measured.Blobs, BlobBytes = measured.BlobBytes,
        })));
    }

    /// <summary>Its layers may lie in an additional store. What is not known of one is not known of all.</summary>
    private static long? SizeOf(CatalogState state, ImageRecord image) =>
        image.Layers.Aggregate<LayerId, long?>(image.BigData.Sum(static item => item.Size), (sum, layer) => sum + state.FindLayer(layer)?.Size);

    protected override void OnStop(StorageError why) => CancelOperations();

    protected override void Refuse(StorageError error) => Answer(new StoreProtocol.Refused(error));
}
