using Akka.Actor;
using StorageActors.Catalog;
using StorageActors.DriverOperations;
using StorageActors.Protocol;
using StorageActors.Trash;

namespace StorageActors.Flows;

/// <summary><see cref="CatalogProtocol.GetBigData"/>. Nothing is held meanwhile: what goes before it is opened is refused.</summary>
internal sealed class ReadDocumentFlow(FlowContext store, IActorRef requester, CatalogProtocol.GetBigData command) : FlowActor(store, requester, "read document")
{
    private BigDataItem? _tried;

    protected override void Start()
    {
        if (command is { Layer: { } layerId, Image: null })
        {
            if (Store.View.Current.FindLayer(layerId) is { } layer) Read($"layer {layerId}", layer.BigData, item => new ReadLayerDocument(layer, item));
            else Refuse(Refusals.NotFound(Operation, layerId));
        }
        else if (command is { Image: { } imageId, Layer: null })
        {
            if (Store.View.Current.FindImage(imageId) is { } image) Read($"image {imageId}", image.BigData, item => new ReadDocument(image, item));
            else Refuse(Refusals.NotFound(Operation, imageId));
        }
        else
        {
            Refuse(Refusals.Invalid(Operation, "either a layer or an image has to be given"));
        }
    }

    protected override void OnStop(StorageError why) => CancelOperations();

    /// <summary>It holds nothing that would have to be given back.</summary>
    protected override void Refuse(StorageError error) => Answer(new StoreProtocol.Refused(error));

    private void Read(string owner, IReadOnlyList<BigDataItem>? items, Func<BigDataItem, DriverOperation<byte[]>> read)
    {
        if (items?.FirstOrDefault(one => one.Key == command.Key) is not { } item)
        {
            Refuse(Refusals.NotFound(Operation, $"{owner} has no document {NameRules.Printable(command.Key)}", StorageErrorReason.UnknownDocument));
            return;
        }

        Perform(read(item), content => Answer(new CatalogProtocol.BigDataContent(item, content)), error =>
        {
            // It was replaced while it was read, if there is another now; then that one is meant.
            var isKnown = item == _tried;
            _tried = item;
            if (isKnown || error.Code == StorageErrorCode.Cancelled) Refuse(error);
            else Start();
        });
    }
}

/// <summary>
/// <see cref="CatalogProtocol.PutBigData"/> and <see cref="CatalogProtocol.RemoveBigData"/>. A layer's content is on the disk before the journal names it, and gets its
/// name with the record; an image's directory is staged anew and exchanged in one rename.
/// </summary>
internal sealed class ChangeDocumentFlow : FlowActor
{
    private readonly LayerId? _layer;
    private readonly ImageId? _image;
    private readonly string _key;
    private readonly BigData? _document;
    private BigDataItem? _item;

    public ChangeDocumentFlow(FlowContext store, IActorRef requester, CatalogProtocol.PutBigData command)
        : base(store, requester, "put document") => (_layer, _image, _document, _key) = (command.Layer, command.Image, command.Document, command.Document.Key);

    public ChangeDocumentFlow(FlowContext store, IActorRef requester, CatalogProtocol.RemoveBigData command)
        : base(store, requester, "remove document") => (_layer, _image, _key) = (command.Layer, command.Image, command.Key);

    private IReadOnlyList<BigData> Given => _document is null ? [] : [_document];

    protected override void Start()
    {
        if (NameRules.CheckDocuments(Operation, Given) is { } wrong)
        {
            Refuse(wrong);
        }
        else if (_document is null)
        {
            Take();
        }
        else
        {
            Perform(new DescribeDocument(_document), item =>
            {
                _item = item;
                Take();
            });
        }
    }

    private void Take()
    {
        if (_layer is { } layer && _image is null)
        {
            Ask<CatalogInternal.LayerTaken>(Store.Catalog, new CatalogInternal.TakeForDocuments(Operation, layer), taken => OfLayer(taken.Layer));
        }
        else if (_image is { } image && _layer is null)
        {
            Ask<CatalogInternal.ImageTaken>(Store.Catalog, new CatalogInternal.TakeImage(image), taken => OfImage(image, taken.Known));
        }
        else
        {
            Refuse(Refusals.Invalid(Operation, "either a layer or an image has to be given"));
        }
    }

    private void OfLayer(LayerRecord layer)
    {
        if (Changed($"layer {layer.Id}", layer.BigData).IsRefused(out var refusal, out var items)) Refuse(refusal);
        else if (_document is null) Commit();
        else Perform(new StageDocument(layer.Id, _item!, _document.Content), _ => Commit());

        void Commit() => Ask<CatalogInternal.DocumentsCommitted>(
            Store.Catalog, new CatalogInternal.CommitDocuments(layer.Id, items), committed => Finish(new CatalogProtocol.Resolved(committed.Layer, null)));
    }

    private void OfImage(ImageId id, ImageRecord? known)
    {
        if (known is null) Refuse(Refusals.NotFound(Operation, id));
        else if ((Refusals.Elsewhere(Operation, known) ?? DocumentRules.CheckFree(Operation, known, _key)) is { } refusal) Refuse(refusal);
        else if (Changed($"image {id}", known.BigData).IsRefused(out refusal, out var items)) Refuse(refusal);
        else Perform(new PutImageFiles(known with { BigData = items }, Given, [], Store.Settings.IsDurable), replaced =>
            Ask<CatalogInternal.ImageCommitted>(Store.Catalog, new CatalogInternal.CommitImage(known with { BigData = items }, KeepNames: true), committed =>
            {
                Store.Trash.Tell(new TrashProtocol.Collect(replaced.Path));
                Finish(new CatalogProtocol.Resolved(null, committed.Image));
            }));
    }

    private Decision<IReadOnlyList<BigDataItem>> Changed(string owner, IReadOnlyList<BigDataItem>? items) =>
        _item is null ? DocumentRules.Without(Operation, owner, items, _key) : DocumentRules.With(Operation, items, _item);
}
