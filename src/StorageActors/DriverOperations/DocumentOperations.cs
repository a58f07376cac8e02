using StorageActors.Protocol;
using StorageActors.Store;

namespace StorageActors.DriverOperations;

/// <summary>Says what a record is going to say of a document; apart from the actor that asks, since a digest takes its time.</summary>
internal sealed record DescribeDocument(BigData Document) : DriverOperation<BigDataItem>
{
    internal override string Verb => "describe document";

    internal override BigDataItem Execute(DriverServices services, CancellationToken stop) => new(Document.Key, Document.Content.Length, Digest.Of(Document.Content));
}

/// <summary>Writes the content of a document of a layer, durable, so that the journal and the record may name it. Take the layer first.</summary>
internal sealed record StageDocument(LayerId Layer, BigDataItem Item, byte[] Content) : DriverOperation<Nothing>
{
    internal override string Verb => "put document";

    internal override Nothing Execute(DriverServices services, CancellationToken stop)
    {
        LayerDocuments.Stage(services.Layout.LayerDirectory(Layer), Item, Content);
        StoreFormat.Use(services.Layout.Root, StoreFormat.LayerDocuments); // What could be kept is marked before it is in the journal.
        return Nothing.Instance;
    }
}

/// <summary>Reads a document of a layer and checks its digest.</summary>
internal sealed record ReadLayerDocument(LayerRecord Layer, BigDataItem Item) : DriverOperation<byte[]>
{
    internal override string Verb => "read document";

    internal override byte[] Execute(DriverServices services, CancellationToken stop) =>
        LayerDocuments.Read(services.Layout.Of(Layer.AdditionalStore).LayerDirectory(Layer.Id), Item);
}

/// <summary>Reads a document of an image and checks its digest.</summary>
internal sealed record ReadDocument(ImageRecord Image, BigDataItem Item) : DriverOperation<byte[]>
{
    internal override string Verb => "read document";

    internal override byte[] Execute(DriverServices services, CancellationToken stop) =>
        ImageFile.ReadDocument(services.Layout.Of(Image.AdditionalStore), Image.Id, Item);
}
