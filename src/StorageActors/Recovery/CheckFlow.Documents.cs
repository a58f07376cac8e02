using StorageActors.Catalog;
using StorageActors.DriverOperations;
using StorageActors.Protocol;

namespace StorageActors.Recovery;

/// <content>What is kept beside content: documents, and blobs of images.</content>
internal sealed partial class CheckFlow
{
    private void Documents(ImageRecord image)
    {
        foreach (var item in image.BigData) _steps.Enqueue(() => Perform(new ReadDocument(image, item), _ => Next(), error => Spoiled(image, error)));
        foreach (var blob in image.Blobs ?? []) _steps.Enqueue(() => Perform(new VerifyBlob(image.Id, blob), _ => Next(), error => Spoiled(image, error)));
    }

    /// <summary>An image that was replaced, or removed, meanwhile has other files, or none.</summary>
    private void Spoiled(ImageRecord image, StorageError error)
    {
        if (!ReferenceEquals(Store.View.Current.FindOwn(image.Id), _before.FindOwn(image.Id))) Next();
        else if (IsDamage(error.Code)) Found("digest-mismatch", image.Id.Value, error.Message);
        else NotChecked(image.Id.Value, error);
    }

    private void Documents(LayerRecord layer)
    {
        foreach (var item in layer.BigData ?? []) _steps.Enqueue(() => Perform(new ReadLayerDocument(layer, item), _ => Next(), _ => Suspect(layer.Id, item)));
    }

    /// <summary>It may have been on its way out, or been replaced: with the layer kept from going, the document that it has now is looked at again.</summary>
    private void Suspect(LayerId id, BigDataItem item) => Ask<CatalogInternal.LayersPinned>(Store.Catalog, new CatalogInternal.PinLayers(Operation, [id]), pinned =>
    {
        if (pinned.Layers[0].BigData?.FirstOrDefault(one => one.Key == item.Key) is { } now) Perform(new ReadLayerDocument(pinned.Layers[0], now), _ => Free(Next), error => Free(() => Wrong(error)));
        else Free(Next);

        void Free(Action then) => Ask<CatalogInternal.Freed>(Store.Catalog, new CatalogInternal.Free(), _ => then());

        void Wrong(StorageError error)
        {
            if (IsDamage(error.Code)) Found("document-mismatch", id.Value, error.Message);
            else NotChecked(id.Value, error);
        }
    }, _ => Next());
}
