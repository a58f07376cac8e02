namespace StorageActors.Protocol;

/// <summary>
/// Which refusal of its kind an error is, where one kind has several and a caller may want to tell them apart. More may be added; a caller that does not know one
/// decides by the <see cref="StorageErrorCode"/>, which stays what it is.
/// </summary>
public enum StorageErrorReason
{
    /// <summary>Not found: no layer has the id.</summary>
    UnknownLayer,

    /// <summary>Not found: no image has the id.</summary>
    UnknownImage,

    /// <summary>Not found: neither a layer nor an image is called so.</summary>
    UnknownReference,

    /// <summary>Not found: nothing has the digest: no layer by ChainID, DiffID or blob, no image, no kept blob.</summary>
    UnknownDigest,

    /// <summary>Not found: the layer that was to be the parent.</summary>
    UnknownParent,

    /// <summary>Not found: the layer or image does not have the name that was to be taken away.</summary>
    UnknownName,

    /// <summary>Not found: the layer has no such lease; it may have been released already.</summary>
    UnknownLease,

    /// <summary>Not found: the layer or image has no such document.</summary>
    UnknownDocument,

    /// <summary>Not found: nothing with that ticket is running.</summary>
    UnknownTicket,

    /// <summary>Not found: what is called so is an image, and a layer is needed.</summary>
    NotALayer,

    /// <summary>Not found: what is called so is a layer, and an image is needed.</summary>
    NotAnImage,

    /// <summary>Exists already: the id; <see cref="StorageError.Layer"/> or <see cref="StorageError.Image"/> says whose it is.</summary>
    DuplicateId,

    /// <summary>Exists already: the name of a layer; <see cref="StorageError.Layer"/> has it, if it is there already.</summary>
    DuplicateLayerName,

    /// <summary>Exists already: the name of an image; <see cref="StorageError.Image"/> has it.</summary>
    DuplicateImageName,

    /// <summary>In use: layers stand on the layer.</summary>
    LayerHasChildren,

    /// <summary>In use: images are made of the layer.</summary>
    LayerUsedByImage,

    /// <summary>In use: somebody has leases on the layer's mount.</summary>
    LayerLeased,

    /// <summary>In use: another engine's client holds the layer (<see cref="LayerLabels.HeldBy"/>).</summary>
    LayerHeldByClient,

    /// <summary>In use: a command that is running needs the layer.</summary>
    LayerUsedByCommand,

    /// <summary>In use: processes or mount namespaces keep the mount busy.</summary>
    MountBusy,

    /// <summary>In use: another engine owns the store.</summary>
    StoreOwned,

    /// <summary>Wrong state: the layer is not mounted.</summary>
    NotMounted,

    /// <summary>Wrong state: the layer is mounted read-only, and writing is asked for.</summary>
    MountedReadOnly,

    /// <summary>Wrong state: the layer is writable, or has no digest yet; a sealed one is needed.</summary>
    NotSealed,

    /// <summary>Wrong state: the parent is writable; layers stand on sealed ones.</summary>
    ParentNotSealed,

    /// <summary>Wrong state: the layer is sealed already.</summary>
    AlreadySealed,

    /// <summary>Wrong state: the layer was filled, or half filled, already.</summary>
    AlreadyFilled,

    /// <summary>Wrong state: it lies in an additional store, which is only read.</summary>
    ReadOnlyStore,

    /// <summary>Invalid argument: more than one thing is called so.</summary>
    AmbiguousReference,

    /// <summary>Invalid argument: the layer has several leases, and none was named.</summary>
    AmbiguousLease,

    /// <summary>Invalid argument: something that the command needs is missing.</summary>
    Incomplete,

    /// <summary>Invalid argument: it is no name.</summary>
    InvalidName,

    /// <summary>Invalid argument: it is no label.</summary>
    InvalidLabel,

    /// <summary>Invalid argument: it is no key of a document, or one that occurs twice.</summary>
    InvalidDocumentKey,

    /// <summary>Wrong state: the layer is mounted with other ids than those that are asked for.</summary>
    MountedWithOtherIds,
}
