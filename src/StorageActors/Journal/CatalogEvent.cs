using StorageActors.Protocol;

namespace StorageActors.Journal;

/// <summary>
/// What happened to layers and images. Each carries the outcome, not the wish, so that replaying them in order needs no rule and no check.
/// </summary>
internal static class CatalogEvent
{
    /// <summary>A layer's directory was renamed into the store.</summary>
    internal sealed record LayerCommitted(LayerRecord Layer) : IJournalEvent;

    /// <summary>A writable layer was sealed; the whole new record.</summary>
    internal sealed record LayerSealed(LayerRecord Layer) : IJournalEvent;

    /// <summary>A layer's directory was renamed to the trash.</summary>
    internal sealed record LayerRemoved(LayerId Layer) : IJournalEvent;

    /// <summary>All names that the layer has now.</summary>
    internal sealed record LayerNamed(LayerId Layer, IReadOnlyList<string> Names) : IJournalEvent;

    /// <summary>All labels that the layer has now.</summary>
    internal sealed record LayerLabelled(LayerId Layer, IReadOnlyDictionary<string, string> Labels) : IJournalEvent;

    /// <summary>All documents that the layer has now; what they hold is on the disk already.</summary>
    internal sealed record LayerDocumented(LayerId Layer, IReadOnlyList<BigDataItem> Documents) : IJournalEvent;

    /// <summary>The layer cannot be used, and why.</summary>
    internal sealed record LayerDamaged(LayerId Layer, string Reason) : IJournalEvent;

    /// <summary>The layer can be used again.</summary>
    internal sealed record LayerHealed(LayerId Layer) : IJournalEvent;

    /// <summary>An image's directory was renamed into the store, as a new image or over an old one; the whole record.</summary>
    internal sealed record ImagePut(ImageRecord Image) : IJournalEvent;

    /// <summary>
    /// All names that the image has now, and those that it was given now, in this order. Events of before have all that it ever had (<paramref name="History"/>) in place of
    /// the latter; and from before stores kept a history, neither, which leaves it as it was.
    /// </summary>
    internal sealed record ImageNamed(ImageId Image, IReadOnlyList<string> Names, IReadOnlyList<string>? History = null, IReadOnlyList<string>? Given = null) : IJournalEvent;

    /// <summary>All labels that the image has now.</summary>
    internal sealed record ImageLabelled(ImageId Image, IReadOnlyDictionary<string, string> Labels) : IJournalEvent;

    /// <summary>An image's directory was renamed to the trash.</summary>
    internal sealed record ImageRemoved(ImageId Image) : IJournalEvent;

    /// <summary>The layer that an event is about; null when it is about none.</summary>
    internal static LayerId? LayerOf(IJournalEvent happened) => happened switch
    {
        LayerCommitted committed => committed.Layer.Id,
        LayerSealed @sealed => @sealed.Layer.Id,
        LayerRemoved removed => removed.Layer,
        LayerNamed named => named.Layer,
        LayerLabelled labelled => labelled.Layer,
        LayerDocumented documented => documented.Layer,
        LayerDamaged damaged => damaged.Layer,
        LayerHealed healed => healed.Layer,
        _ => null,
    };

    /// <summary>All layers and images at one moment: what the events before it add up to.</summary>
    internal sealed record Snapshot(IReadOnlyList<LayerRecord> Layers, IReadOnlyList<ImageRecord> Images) : IJournalEvent
    {
        /// <summary>Whether its row is packed (<see cref="PackedSnapshot"/>), not JSON. No part of what it says, so not in the row.</summary>
        internal bool IsPacked { get; init; }
    }
}
