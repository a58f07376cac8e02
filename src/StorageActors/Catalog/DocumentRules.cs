using StorageActors.Protocol;

namespace StorageActors.Catalog;

/// <summary>Which documents a layer or an image has after one was put or removed.</summary>
internal static class DocumentRules
{
    /// <summary>So many may be put one by one; each is a line of a record that is read whole.</summary>
    internal const int Most = 1000;

    internal static Decision<LayerRules.Held> Take(CatalogState state, Reservations reservations, string holder, CatalogInternal.TakeForDocuments command)
    {
        if (state.FindLayer(command.Layer) is not { } layer) return Refusals.NotFound(command.Operation, command.Layer);
        if (Refusals.Elsewhere(command.Operation, layer) is { } elsewhere) return elsewhere;
        return layer.Damage is { } damage ? Refusals.Damaged(command.Operation, layer, damage) : new LayerRules.Held(reservations.Take(holder, layer.Id), [layer]);
    }

    /// <summary>Documents that a layer is to have from the start.</summary>
    /// <param name="operation">The verb.</param>
    /// <param name="documents">The documents.</param>
    /// <param name="reuse">Whether the layer may turn out to be one that is there, which others read the documents of.</param>
    internal static StorageError? CheckNew(string operation, IReadOnlyList<BigData> documents, bool reuse)
    {
        if (documents.Count == 0) return null;
        if (reuse) return Refusals.Invalid(operation, "a layer that may be one that is there gets no documents; put them afterwards, or make a layer of its own");
        if (documents.Count > Most) return new StorageError(StorageErrorCode.LimitExceeded, operation, $"there are {documents.Count} documents, and no more than {Most} are taken");
        return NameRules.CheckDocuments(operation, documents);
    }

    /// <summary>Whether all documents of a command can come with it.</summary>
    internal static StorageError? CheckTotal(string operation, IEnumerable<BigData> documents) =>
        documents.Sum(static document => (long)document.Content.Length) is var total && total <= BigData.LargestTotal ? null
            : new StorageError(StorageErrorCode.LimitExceeded, operation, $"the documents have {total} bytes, and no more than {BigData.LargestTotal} are taken at once; put some afterwards");

    /// <summary>The documents with one more, or with another in place of the one that had its key; sorted by key.</summary>
    internal static Decision<IReadOnlyList<BigDataItem>> With(string operation, IReadOnlyList<BigDataItem>? items, BigDataItem item)
    {
        var others = (items ?? []).Where(one => one.Key != item.Key).ToList();
        if (others.Count >= Most) return new StorageError(StorageErrorCode.LimitExceeded, operation, $"there are {others.Count} documents already, and no more than {Most} are taken; remove some");
        return Sorted(others.Append(item));
    }

    internal static Decision<IReadOnlyList<BigDataItem>> Without(string operation, string owner, IReadOnlyList<BigDataItem>? items, string key)
    {
        var others = (items ?? []).Where(one => one.Key != key).ToList();
        return others.Count == (items?.Count ?? 0) ? Refusals.NotFound(operation, $"{owner} has no document {NameRules.Printable(key)}", StorageErrorReason.UnknownDocument) : Sorted(others);
    }

    /// <summary>What an image is made of cannot be changed apart from it.</summary>
    internal static StorageError? CheckFree(string operation, ImageRecord image, string key) => key == "manifest" || key == "sha256:" + image.Id
        ? Refusals.Invalid(operation, $"the document {NameRules.Printable(key)} is part of what image {image.Id} is; put the image again") : null;

    private static BigDataItem[] Sorted(IEnumerable<BigDataItem> items) => [.. items.OrderBy(static item => item.Key, StringComparer.Ordinal)];
}
