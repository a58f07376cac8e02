namespace StorageActors.Protocol;

/// <summary>How a layer is mounted.</summary>
public enum MountMode
{
    /// <summary>Writes go to the layer.</summary>
    ReadWrite,

    /// <summary>No writes.</summary>
    ReadOnly,
}

/// <summary>A mounted layer and who holds it; a snapshot.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="Path">Where it is mounted; empty when its holder mounts it himself, elsewhere.</param>
/// <param name="Mode">Read-write or read-only.</param>
/// <param name="Leases">Who holds it, oldest first; empty only while all have ended and the mount is too busy to go: then it is unmounted as soon as it can be.</param>
/// <param name="Ids">Whose ids it shows; none for those of the host.</param>
public sealed record MountRecord(LayerId Layer, string Path, MountMode Mode, IReadOnlyList<LeaseRecord> Leases, IdMap? Ids = null);

/// <summary>One holder's claim on a mount.</summary>
/// <param name="Lease">Its name.</param>
/// <param name="Owner">
/// Who holds it: the path of an actor or a process (see <see cref="LeaseOwner"/>), whose death ends the lease; another name, or <c>external</c>: ended by a
/// release or a reboot alone; or <c>client</c> (see <see cref="LayerLabels.HeldBy"/>), ended with the layer.
/// </param>
/// <param name="Since">When it was granted.</param>
/// <param name="Until">When it ends by itself, if it does.</param>
public sealed record LeaseRecord(LeaseId Lease, string Owner, DateTimeOffset Since, DateTimeOffset? Until = null);

/// <summary>How a layer is to be mounted.</summary>
/// <param name="ReadOnly">Mount without writes even if the layer is writable. Sealed layers are always mounted read-only.</param>
/// <param name="Options">Further options of the driver or of the mount: <c>nodev</c>, <c>noexec</c>, <c>nosuid</c>, <c>volatile</c>, <c>context=…</c>.</param>
/// <param name="Ids">
/// Which ids of the host the mount shows for those of the layer: any map for a mount without writes, <see cref="IdMap.Host"/> for the layer's own ids. Not given: the
/// map of the layer's record, which is the only one that it can be written to with.
/// </param>
public sealed record MountOptions(bool ReadOnly = false, IReadOnlyList<string>? Options = null, IdMap? Ids = null)
{
    /// <summary>Read-write where the layer allows it, no further options.</summary>
    public static MountOptions Default { get; } = new();
}

/// <summary>One mount that a client is to make itself, as mount(8) takes it.</summary>
/// <param name="Type">The file-system type: <c>overlay</c>, <c>aufs</c> or <c>bind</c>.</param>
/// <param name="Source">The source.</param>
/// <param name="Options">The options, in order.</param>
public sealed record MountStep(string Type, string Source, IReadOnlyList<string> Options);
