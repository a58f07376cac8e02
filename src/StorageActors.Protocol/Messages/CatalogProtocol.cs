namespace StorageActors.Protocol;

/// <summary>
/// What the catalog accepts and answers: ids, names, labels, images and their documents. Queries are answered from an immutable snapshot and
/// never wait for writers.
/// </summary>
public static class CatalogProtocol
{
    /// <summary>A command or query to the catalog; exactly one reply each.</summary>
    public interface ICommand : StoreProtocol.ICommand;

    /// <summary>An answer of the catalog.</summary>
    public interface IReply : StoreProtocol.IReply;

    /// <summary>Lists the layers. Answers <see cref="Layers"/>.</summary>
    public sealed record ListLayers : ICommand;

    /// <summary>All layers, parents before children.</summary>
    /// <param name="Items">The records.</param>
    public sealed record Layers(IReadOnlyList<LayerRecord> Items) : IReply;

    /// <summary>Lists the images. Answers <see cref="Images"/>.</summary>
    public sealed record ListImages : ICommand;

    /// <summary>All images, in the order in which they came into the store.</summary>
    /// <param name="Items">The records.</param>
    public sealed record Images(IReadOnlyList<ImageRecord> Items) : IReply;

    /// <summary>Lists what is mounted and who holds it. Answers <see cref="Mounts"/>.</summary>
    public sealed record ListMounts : ICommand;

    /// <summary>All mounts.</summary>
    /// <param name="Items">The records.</param>
    public sealed record Mounts(IReadOnlyList<MountRecord> Items) : IReply;

    /// <summary>
    /// Finds a layer or an image by id, name, unique id prefix (4 or more characters) or mount path; an exact id or name wins over a prefix. A digest
    /// (<c>sha256:</c> and 64 digits) names the image with that id, else a layer by ChainID, by DiffID or by the digest of its blob, in this order.
    /// Answers <see cref="Resolved"/>; an ambiguous prefix or digest is refused as invalid argument, an unknown one as not found.
    /// </summary>
    /// <param name="Reference">What the user wrote.</param>
    public sealed record Resolve(string Reference) : ICommand;

    /// <summary>What the reference names; both when a layer and an image share a name.</summary>
    /// <param name="Layer">The layer, if it names one.</param>
    /// <param name="Image">The image, if it names one.</param>
    public sealed record Resolved(LayerRecord? Layer, ImageRecord? Image) : IReply;

    /// <summary>Finds a layer by its ChainID. Answers <see cref="Resolved"/> or not found.</summary>
    /// <param name="ChainId">The ChainID.</param>
    public sealed record FindChain(Digest ChainId) : ICommand;

    /// <summary>
    /// Adds and removes names of a layer, or of an image. A name is 1 to 512 printable characters without spaces. Adding a name that another
    /// record of the same kind has is refused as exists already, unless <paramref name="Steal"/>. Answers <see cref="Resolved"/>.
    /// </summary>
    /// <param name="Layer">The layer, or none.</param>
    /// <param name="Image">The image, or none; exactly one of the two is given.</param>
    /// <param name="Add">Names to add.</param>
    /// <param name="Remove">Names to remove; one that it does not have is refused as not found.</param>
    /// <param name="Steal">Take the names from whoever has them.</param>
    public sealed record ChangeNames(
        LayerId? Layer, ImageId? Image, IReadOnlyList<string> Add, IReadOnlyList<string> Remove, bool Steal = false) : ICommand;

    /// <summary>
    /// Sets labels of a layer, or of an image; an empty value removes its key. A key is 1 to 512 printable characters without spaces, a value at most 65536
    /// characters. Answers <see cref="Resolved"/>.
    /// </summary>
    /// <param name="Layer">The layer, or none.</param>
    /// <param name="Labels">The changes.</param>
    /// <param name="Image">The image, or none; exactly one of the two is given.</param>
    public sealed record ChangeLabels(LayerId? Layer, IReadOnlyDictionary<string, string> Labels, ImageId? Image = null) : ICommand;

    /// <summary>
    /// Puts an image: its record and documents in one step. An image with the same id is replaced when its layers are the same (its names are
    /// kept and those given are added, its documents are replaced by key); else refused. Names move from other images. Answers <see cref="ImagePut"/>.
    /// </summary>
    /// <param name="Id">Its id: the digest of its configuration.</param>
    /// <param name="Names">Its names.</param>
    /// <param name="Layers">Its layers, base first; sealed, each the parent of the next.</param>
    /// <param name="ManifestDigest">Digest of its manifest.</param>
    /// <param name="Documents">Its big data.</param>
    /// <param name="Labels">Its labels.</param>
    /// <param name="Blobs">Blobs to keep for an exact export, shared by digest among images; gone with the last image that names them.</param>
    /// <param name="Created">When the image was made; what is known of it already if not given, else now.</param>
    /// <param name="NamesHistory">Names that it had elsewhere, at most 1000, the one that was given last first; they come behind those that it had here.</param>
    public sealed record PutImage(
        ImageId Id,
        IReadOnlyList<string> Names,
        IReadOnlyList<LayerId> Layers,
        Digest? ManifestDigest,
        IReadOnlyList<BigData> Documents,
        IReadOnlyDictionary<string, string>? Labels = null,
        IReadOnlyList<ImageBlob>? Blobs = null,
        DateTimeOffset? Created = null,
        IReadOnlyList<string>? NamesHistory = null) : ICommand;

    /// <summary>The image is in the store.</summary>
    /// <param name="Image">Its record.</param>
    public sealed record ImagePut(ImageRecord Image) : IReply;

    /// <summary>
    /// Removes an image and, top down, the layers of it that nothing else needs (no other image, child, lease or name).
    /// Answers <see cref="ImageRemoved"/>.
    /// </summary>
    /// <param name="Image">The image.</param>
    /// <param name="Force">End the leases of those layers, too.</param>
    /// <param name="DryRun">Only say what would go.</param>
    public sealed record RemoveImage(ImageId Image, bool Force = false, bool DryRun = false) : ICommand;

    /// <summary>The image is gone.</summary>
    /// <param name="Image">The image.</param>
    /// <param name="Layers">The layers that went with it.</param>
    public sealed record ImageRemoved(ImageId Image, IReadOnlyList<LayerId> Layers) : IReply;

    /// <summary>Reads a document of an image, or of a layer. Answers <see cref="BigDataContent"/>.</summary>
    /// <param name="Image">The image, or none.</param>
    /// <param name="Key">The document's key.</param>
    /// <param name="Layer">The layer, or none; exactly one of the two is given.</param>
    public sealed record GetBigData(ImageId? Image, string Key, LayerId? Layer = null) : ICommand;

    /// <summary>
    /// Puts a document of a layer, writable or sealed, or of an image: a new one, or in place of the one with its key, which readers and crashes find either old or new. The
    /// manifest and the configuration of an image are refused as invalid argument: <see cref="PutImage"/> puts them. A 1001st document is refused as over the limit.
    /// Answers <see cref="Resolved"/>.
    /// </summary>
    /// <param name="Layer">The layer, or none.</param>
    /// <param name="Image">The image, or none; exactly one of the two is given.</param>
    /// <param name="Document">Its key and its content.</param>
    public sealed record PutBigData(LayerId? Layer, ImageId? Image, BigData Document) : ICommand;

    /// <summary>Removes a document of a layer, or of an image (but not its manifest or configuration). Answers <see cref="Resolved"/>, or not found.</summary>
    /// <param name="Layer">The layer, or none.</param>
    /// <param name="Image">The image, or none; exactly one of the two is given.</param>
    /// <param name="Key">The document's key.</param>
    public sealed record RemoveBigData(LayerId? Layer, ImageId? Image, string Key) : ICommand;

    /// <summary>A document.</summary>
    /// <param name="Item">Its key, size and digest (checked while it was read).</param>
    /// <param name="Content">Its bytes.</param>
    public sealed record BigDataContent(BigDataItem Item, byte[] Content) : IReply;

    /// <summary>
    /// Copies a blob that is kept with an image to a target; its digest is checked on the way. Answers <see cref="BlobRead"/>, or not found when the
    /// image does not keep it.
    /// </summary>
    /// <param name="Image">The image.</param>
    /// <param name="Digest">The blob.</param>
    /// <param name="Target">Where it goes.</param>
    /// <param name="Ticket">Its name in progress events, and for <see cref="StoreProtocol.Cancel"/>; none are published without it.</param>
    public sealed record ReadBlob(ImageId Image, Digest Digest, BlobTarget Target, TicketId? Ticket = null) : ICommand;

    /// <summary>The blob is written.</summary>
    /// <param name="Digest">Its digest.</param>
    /// <param name="Size">Its length in bytes.</param>
    public sealed record BlobRead(Digest Digest, long Size) : IReply;
}
