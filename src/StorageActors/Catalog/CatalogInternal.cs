using StorageActors.Protocol;

namespace StorageActors.Catalog;

/// <summary>
/// What the store's flows say to the catalog, besides <see cref="CatalogProtocol"/>. A flow reserves before it works, so that conflicts are found
/// before anything is done, and commits afterwards. What a flow holds is its own: it ends with <see cref="Free"/>, or with the flow. Each command has
/// one answer, or <see cref="StoreProtocol.Refused"/>; one for a layer or image that another flow has taken waits until that flow is done.
/// </summary>
internal static class CatalogInternal
{
    /// <summary>To the catalog's parent, each time it has replayed its journal: it serves now.</summary>
    internal sealed record Recovered(int Layers, int Images);

    /// <summary>
    /// Reserves a chain of new layers: their ids and names, and keeps its parent and the layers that are used again from being removed. Answers
    /// <see cref="ChainReserved"/>.
    /// </summary>
    internal sealed record ReserveChain(string Operation, LayerId? Parent, IReadOnlyList<NewLayer> Layers, bool Reuse);

    /// <summary>A layer that is to be made; or that, if it is there, is to get names and, where it is so labelled, labels.</summary>
    internal sealed record NewLayer(LayerId? Id, IReadOnlyList<string> Names, Digest? DiffId, bool IsLabelled = false);

    /// <summary>The chain is reserved: first layers that are there, then some that others are making, then those to be made.</summary>
    internal sealed record ChainReserved(LayerRecord? Parent, IReadOnlyList<PlannedLayer> Layers);

    /// <summary>What is to be done for one layer of a chain.</summary>
    internal sealed record PlannedLayer(Plan Plan, LayerId Id, LayerRecord? Known = null);

    /// <summary>
    /// Says, as soon as the content of a reserved layer is known, which ChainID it will have on which parent; answers <see cref="ChainClaimed"/>: whether
    /// to make it, or to wait for, or take, another layer of the same content.
    /// </summary>
    internal sealed record ClaimChain(string Operation, LayerId Layer, LayerId? Parent, Digest ChainId, bool IsLabelled = false);

    /// <summary>The answer to a claim.</summary>
    internal sealed record ChainClaimed(LayerId Layer, PlannedLayer Plan);

    /// <summary>Waits until a layer that another flow is making is there, and keeps it from being removed; or until that flow gives up. Answers <see cref="LayerSettled"/>.</summary>
    internal sealed record AwaitLayer(LayerId Layer);

    /// <summary>The layer is there; or (null) it will not be.</summary>
    internal sealed record LayerSettled(LayerId Layer, LayerRecord? Record);

    /// <summary>
    /// Journals layers whose directories were renamed into the store, parents first, then gives names and labels to layers that are there, all
    /// in one write. Answers <see cref="LayersCommitted"/>.
    /// </summary>
    internal sealed record CommitLayers(IReadOnlyList<LayerRecord> Layers, IReadOnlyList<Given> Given);

    /// <summary>Names that are added to a layer, and labels that are set.</summary>
    internal sealed record Given(LayerId Layer, IReadOnlyList<string> Names, IReadOnlyDictionary<string, string>? Labels = null);

    /// <summary>The journal has them.</summary>
    internal sealed record LayersCommitted;

    /// <summary>Keeps layers from being removed. Answers <see cref="LayersPinned"/>.</summary>
    internal sealed record PinLayers(string Operation, IReadOnlyList<LayerId> Layers);

    /// <summary>The layers stay. Records as in the command.</summary>
    internal sealed record LayersPinned(IReadOnlyList<LayerRecord> Layers);

    /// <summary>Takes a layer that nothing needs, to remove it. Answers <see cref="LayerTaken"/>.</summary>
    internal sealed record TakeForRemoval(LayerId Layer, bool Force = false, string? HeldBy = null);

    /// <summary>Takes a layer without digests, to seal it, and reserves names for it. Answers <see cref="LayerTaken"/>.</summary>
    internal sealed record TakeForSealing(LayerId Layer, IReadOnlyList<string> Names, IReadOnlyDictionary<string, string> Labels);

    /// <summary>Takes a writable layer, to fill it. Answers <see cref="LayerTaken"/>.</summary>
    internal sealed record TakeForFilling(LayerId Layer);

    /// <summary>Takes a writable layer, to freeze it, with the names that it gets, and keeps the layer that it comes to stand on. Answers <see cref="LayerTaken"/>.</summary>
    internal sealed record TakeForFreezing(LayerId Layer, IReadOnlyList<string> Names, LayerId? Parent);

    /// <summary>Takes a layer, to change its documents. Answers <see cref="LayerTaken"/>.</summary>
    internal sealed record TakeForDocuments(string Operation, LayerId Layer);

    /// <summary>The layer is taken: what concerns it waits.</summary>
    internal sealed record LayerTaken(LayerRecord Layer);

    /// <summary>Journals that a layer's directory was renamed to the trash. Answers <see cref="RemovalCommitted"/>.</summary>
    internal sealed record CommitRemoval(LayerId Layer);

    /// <summary>The journal has it.</summary>
    internal sealed record RemovalCommitted(LayerId Layer);

    /// <summary>Journals that a layer was sealed, and replaces its file. Answers <see cref="SealCommitted"/>.</summary>
    internal sealed record CommitSeal(LayerRecord Layer, IReadOnlyList<string> AddNames, IReadOnlyDictionary<string, string> AddLabels);

    /// <summary>Journals that a layer was frozen: it is as in the record, also its names, labels and parent; and replaces its file. Answers <see cref="SealCommitted"/>.</summary>
    internal sealed record CommitFreeze(LayerRecord Layer);

    /// <summary>The journal has it.</summary>
    internal sealed record SealCommitted(LayerRecord Layer);

    /// <summary>Journals which documents a layer has, and replaces its file, with which their content gets its names. Answers <see cref="DocumentsCommitted"/>.</summary>
    internal sealed record CommitDocuments(LayerId Layer, IReadOnlyList<BigDataItem> Documents);

    /// <summary>The journal has it.</summary>
    internal sealed record DocumentsCommitted(LayerRecord Layer);

    /// <summary>Takes an image's id, to put or remove the image. Answers <see cref="ImageTaken"/>.</summary>
    internal sealed record TakeImage(ImageId Image);

    /// <summary>The id is taken.</summary>
    internal sealed record ImageTaken(ImageId Image, ImageRecord? Known);

    /// <summary>
    /// Journals an image whose directory was renamed into the store. Its names move from whoever has them, and those that it had stay; or, with
    /// <paramref name="KeepNames"/>, it has those that it has now, whatever the record says. Answers <see cref="ImageCommitted"/>.
    /// </summary>
    internal sealed record CommitImage(ImageRecord Image, bool KeepNames = false);

    /// <summary>The journal has it.</summary>
    internal sealed record ImageCommitted(ImageRecord Image);

    /// <summary>Journals that an image's directory was renamed to the trash. Answers <see cref="ImageRemovalCommitted"/>.</summary>
    internal sealed record CommitImageRemoval(ImageId Image);

    /// <summary>The journal has it.</summary>
    internal sealed record ImageRemovalCommitted(ImageId Image);

    /// <summary>Marks a layer as damaged, or (null) as sound again. Answers <see cref="DamageMarked"/>.</summary>
    internal sealed record MarkDamage(LayerId Layer, string? Reason);

    /// <summary>The journal has it.</summary>
    internal sealed record DamageMarked(LayerId Layer);

    /// <summary>
    /// Journals what was found on disk and is not in the journal, and what is in the journal and was found in the trash: the file system is right. Names that
    /// others have are left out. Answers <see cref="Reconciled"/>.
    /// </summary>
    internal sealed record Reconcile(
        IReadOnlyList<LayerRecord> Layers, IReadOnlyList<ImageRecord> Images, IReadOnlyList<LayerId> GoneLayers, IReadOnlyList<ImageId> GoneImages,
        IReadOnlyList<Damage> Damages);

    /// <summary>A layer that cannot be used, and why; with no reason one that can be used again.</summary>
    internal sealed record Damage(LayerId Layer, string? Reason);

    /// <summary>The journal agrees with the disk.</summary>
    internal sealed record Reconciled;

    /// <summary>
    /// Asks what to make of directories that a listing has, or lacks, against the catalog as it was before that listing: what is being made, or removed,
    /// is neither unknown nor missing. Answers <see cref="Audited"/>.
    /// </summary>
    internal sealed record Audit(IReadOnlyList<LayerId> UnknownLayers, IReadOnlyList<ImageId> UnknownImages, IReadOnlyList<LayerId> MissingLayers);

    /// <summary>What of it is wrong indeed.</summary>
    internal sealed record Audited(IReadOnlyList<LayerId> UnknownLayers, IReadOnlyList<ImageId> UnknownImages, IReadOnlyList<LayerId> MissingLayers);

    /// <summary>Asks to be told when the file of a layer, or of an image, is as the journal has it: nothing waits to be written to it. Answers <see cref="FileWritten"/>.</summary>
    internal sealed record AwaitFile(LayerId? Layer, ImageId? Image);

    /// <summary>It is.</summary>
    internal sealed record FileWritten;

    /// <summary>Answers <see cref="Flushed"/> when the journal and the files have all that came before, and the journal is summed up if it has much.</summary>
    /// <param name="Number">Which flush of the one who asks it is; comes back with the answer.</param>
    internal sealed record Flush(int Number);

    /// <summary>They have it.</summary>
    internal sealed record Flushed(int Number);

    /// <summary>Gives back all that the sender holds. Answers <see cref="Freed"/>.</summary>
    internal sealed record Free;

    /// <summary>The sender holds nothing.</summary>
    internal sealed record Freed;

    /// <summary>What is to be done for a layer of a chain.</summary>
    internal enum Plan
    {
        /// <summary>Make it.</summary>
        Make,

        /// <summary>It is there.</summary>
        Take,

        /// <summary>Somebody else is making it.</summary>
        Await,
    }
}
