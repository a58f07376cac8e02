using StorageActors.Protocol;

namespace StorageActors.Catalog;

/// <summary>The refusals that more than one rule has.</summary>
internal static class Refusals
{
    internal static StorageError NotFound(string operation, string message, StorageErrorReason reason, LayerId? layer = null, ImageId? image = null) =>
        new(StorageErrorCode.NotFound, operation, message, Reason: reason, Layer: layer, Image: image);

    internal static StorageError NotFound(string operation, LayerId layer) => NotFound(operation, $"there is no layer {layer}", StorageErrorReason.UnknownLayer, layer);

    internal static StorageError NotFound(string operation, ImageId image) =>
        NotFound(operation, $"there is no image {image}", StorageErrorReason.UnknownImage, image: image);

    internal static StorageError NoParent(string operation, LayerId layer) =>
        NotFound(operation, $"there is no layer {layer}", StorageErrorReason.UnknownParent, layer);

    /// <param name="operation">The verb.</param>
    /// <param name="message">What is there, and what to do.</param>
    /// <param name="reason">What of it is there.</param>
    /// <param name="layer">The layer that has it, if that is known: the caller need not ask.</param>
    /// <param name="image">The same for an image.</param>
    internal static StorageError Exists(string operation, string message, StorageErrorReason reason, LayerId? layer = null, ImageId? image = null) =>
        new(StorageErrorCode.AlreadyExists, operation, message, Reason: reason, Layer: layer, Image: image);

    internal static StorageError InUse(string operation, string message, StorageErrorReason reason, LayerId layer) =>
        new(StorageErrorCode.InUse, operation, message, Reason: reason, Layer: layer);

    internal static StorageError WrongState(string operation, string message, StorageErrorReason reason, LayerId? layer = null, ImageId? image = null) =>
        new(StorageErrorCode.WrongState, operation, message, Reason: reason, Layer: layer, Image: image);

    internal static StorageError Invalid(string operation, string message, StorageErrorReason? reason = null) =>
        new(StorageErrorCode.InvalidArgument, operation, message, Reason: reason);

    internal static StorageError Damaged(string operation, LayerRecord layer, string damage) => new(
        StorageErrorCode.Damaged, operation, $"layer {layer.Id} is damaged: {damage}; remove it and apply its content again, or run check", Layer: layer.Id);

    /// <summary>Why something of an additional store cannot be changed; null when it is the store's own.</summary>
    internal static StorageError? Elsewhere(string operation, LayerRecord layer) => layer.AdditionalStore is not { } store ? null
        : WrongState(operation, $"layer {layer.Id} lies in the additional store {store}, which is only read; make a layer on top of it, or ask that store's owner", StorageErrorReason.ReadOnlyStore, layer.Id);

    /// <inheritdoc cref="Elsewhere(string, LayerRecord)"/>
    internal static StorageError? Elsewhere(string operation, ImageRecord image) => image.AdditionalStore is not { } store ? null
        : WrongState(operation, $"image {image.Id} lies in the additional store {store}, which is only read; import it into this store, or ask that store's owner", StorageErrorReason.ReadOnlyStore, image: image.Id);

    internal static StorageError Cancelled(string operation, string why) => new(StorageErrorCode.Cancelled, operation, why);

    /// <summary>A few of many, for a message.</summary>
    internal static string Some<T>(IReadOnlyCollection<T> items)
    {
        const int shown = 3;
        var text = string.Join(", ", items.Take(shown));
        return items.Count > shown ? $"{text} and {items.Count - shown} more" : text;
    }
}
