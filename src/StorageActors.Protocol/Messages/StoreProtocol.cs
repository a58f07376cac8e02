using System.Text.Json.Serialization;
using Akka.Actor;

namespace StorageActors.Protocol;

/// <summary>
/// What the store accepts at its one address (<c>/user/storage</c>) and answers. Every command gets exactly one reply: its own, or
/// <see cref="Refused"/>. A reply is sent once the disk has what it says. Commands of <see cref="LayerProtocol"/> and
/// <see cref="CatalogProtocol"/> are sent to the same address.
/// </summary>
public static class StoreProtocol
{
    /// <summary>Anything that may be sent to the store.</summary>
    public interface ICommand;

    /// <summary>Anything that the store answers.</summary>
    public interface IReply;

    /// <summary>The answer to any command that is not carried out; nothing was changed.</summary>
    /// <param name="Error">Why.</param>
    public sealed record Refused(StorageError Error) : IReply;

    /// <summary>What a new layer is to be called.</summary>
    /// <param name="Id">Its id; a random one if not given.</param>
    /// <param name="Names">Its names.</param>
    /// <param name="Labels">Its labels.</param>
    /// <param name="Documents">What is kept with it from the start: it is in the store with all of them, or not at all. At most 1000, of 16 MiB each and of 32 MiB together, for all layers of one command.</param>
    public sealed record LayerSpec(
        LayerId? Id = null, IReadOnlyList<string>? Names = null, IReadOnlyDictionary<string, string>? Labels = null, IReadOnlyList<BigData>? Documents = null);

    /// <summary>What the caller expects of a blob and tolerates; each is checked, none is trusted.</summary>
    /// <param name="DiffId">Expected digest of the uncompressed tar. With it, content that is known, or on its way, is not extracted again.</param>
    /// <param name="BlobDigest">Expected digest of the blob.</param>
    /// <param name="BlobSize">Expected length of the blob.</param>
    /// <param name="MaximumSize">Limit for the uncompressed tar, in bytes; the store's own limit if not given.</param>
    /// <param name="MaximumEntries">Limit for its entries; the store's own limit if not given.</param>
    public sealed record Expectations(
        Digest? DiffId = null, Digest? BlobDigest = null, long? BlobSize = null, long? MaximumSize = null, long? MaximumEntries = null);

    /// <summary>One layer of a chain that is to be applied.</summary>
    /// <param name="Source">Its tar, compressed or not.</param>
    /// <param name="Spec">What it is to be called. Of a layer whose content is known already the id is ignored, names are added and labels set.</param>
    /// <param name="Expect">What is expected of it.</param>
    /// <param name="Ticket">The name of its extraction in progress events; a random one if not given.</param>
    public sealed record ChainItem(BlobSource Source, LayerSpec Spec, Expectations Expect, TicketId? Ticket = null);

    /// <summary>
    /// Applies tars as a chain of sealed layers, the first onto <paramref name="Parent"/>, each next onto the one before. All are staged at
    /// the same time where the driver allows it, made durable by one sync and committed in order. Answers <see cref="Applied"/> or
    /// <see cref="Refused"/>; when refused, layers of the chain that were complete before the failing one may stay, whole and without names.
    /// </summary>
    /// <param name="Parent">The layer below the first; none for a base layer.</param>
    /// <param name="Items">At least one.</param>
    /// <param name="Reuse">
    /// Whether a layer that the store has already (same ChainID) is taken instead of a second copy. Documents, which others may have put there, cannot be given with it.
    /// </param>
    /// <param name="Owner">If given, its death cancels the work; a host that asks with a throw-away sender names itself here.</param>
    public sealed record Apply(
        LayerId? Parent, IReadOnlyList<ChainItem> Items, bool Reuse = false, [property: JsonIgnore] IActorRef? Owner = null) : ICommand;

    /// <summary>One layer of an applied chain.</summary>
    /// <param name="Layer">Its record.</param>
    /// <param name="Reused">Whether the store had it, or another command was extracting it.</param>
    /// <param name="Seconds">How long its extraction took.</param>
    public sealed record AppliedLayer(LayerRecord Layer, bool Reused, double Seconds);

    /// <summary>The chain is in the store.</summary>
    /// <param name="Layers">In the order of the command.</param>
    public sealed record Applied(IReadOnlyList<AppliedLayer> Layers) : IReply;

    /// <summary>Cancels the extraction with this ticket; its command is refused as cancelled. Answers <see cref="CancelAccepted"/> or not found.</summary>
    /// <param name="Ticket">The extraction.</param>
    public sealed record Cancel(TicketId Ticket) : ICommand;

    /// <summary>The extraction is being stopped.</summary>
    /// <param name="Ticket">The extraction.</param>
    public sealed record CancelAccepted(TicketId Ticket) : IReply;

    /// <summary>Makes a writable layer. Answers <see cref="LayerCreated"/>.</summary>
    /// <param name="Parent">The sealed layer below; none for an empty one.</param>
    /// <param name="Spec">What it is to be called.</param>
    /// <param name="Ids">
    /// The ids of the container that is to write to it; <see cref="IdMap.Host"/>: those of the host. Not given: those of the parent's record, or, without a parent, the
    /// store's default. A driver that cannot show the layers below with other ids refuses them as unsupported.
    /// </param>
    public sealed record Create(LayerId? Parent, LayerSpec Spec, IdMap? Ids = null) : ICommand;

    /// <summary>The writable layer is in the store.</summary>
    /// <param name="Layer">Its record.</param>
    public sealed record LayerCreated(LayerRecord Layer) : IReply;

    /// <summary>
    /// Seals a writable layer, or completes a frozen one: computes its tar, digests and size without copying its content. Refused as in use while it is
    /// mounted read-write. Answers <see cref="LayerSealed"/>.
    /// </summary>
    /// <param name="Layer">The layer.</param>
    /// <param name="Names">Names to add to it.</param>
    /// <param name="Labels">Labels to set; an empty value removes its key.</param>
    /// <param name="Ticket">Its name in progress events, and for <see cref="Cancel"/>; none are published without it.</param>
    public sealed record Seal(LayerId Layer, IReadOnlyList<string>? Names = null, IReadOnlyDictionary<string, string>? Labels = null, TicketId? Ticket = null) : ICommand;

    /// <summary>The layer is sealed.</summary>
    /// <param name="Layer">Its record, with digests.</param>
    public sealed record LayerSealed(LayerRecord Layer) : IReply;

    /// <summary>
    /// Extracts a tar into a writable layer that is empty still, by the same pipeline and rules as <see cref="Apply"/>. For clients that make a layer first,
    /// fill it and then freeze it. From its beginning the layer is marked: one that could not be filled to the end is neither filled again nor frozen or
    /// sealed, only removed. Answers <see cref="LayerFilled"/>.
    /// </summary>
    /// <param name="Layer">The layer.</param>
    /// <param name="Source">The tar, compressed or not.</param>
    /// <param name="Expect">What is expected of it.</param>
    /// <param name="Ticket">The name of the extraction in progress events, and for <see cref="Cancel"/>; a random one if not given.</param>
    /// <param name="Owner">If given, its death cancels the work.</param>
    public sealed record Fill(
        LayerId Layer, BlobSource Source, Expectations Expect, TicketId? Ticket = null, [property: JsonIgnore] IActorRef? Owner = null) : ICommand;

    /// <summary>The tar is in the layer.</summary>
    /// <param name="Layer">The layer.</param>
    /// <param name="DiffId">Digest of the uncompressed tar, to the end of its stream.</param>
    /// <param name="Size">Its length.</param>
    /// <param name="BlobDigest">Digest of what was read.</param>
    /// <param name="Entries">Entries in it.</param>
    /// <param name="Warnings">What could not be kept.</param>
    public sealed record LayerFilled(LayerId Layer, Digest DiffId, long Size, Digest BlobDigest, long Entries, IReadOnlyList<string> Warnings) : IReply;

    /// <summary>
    /// Makes a sealed layer of a writable one as it is, without reading its content: for clients that hold a lock meanwhile. A layer that
    /// <see cref="Fill"/> filled, and nobody changed since, has the digests of its tar; of any other they stay unknown until <see cref="Seal"/> computes
    /// them. Refused as in use while it is mounted read-write. Answers <see cref="LayerFrozen"/>.
    /// </summary>
    /// <param name="Layer">The layer.</param>
    /// <param name="Names">Its names from now on, in place of those that it had.</param>
    /// <param name="Labels">Its labels from now on, in place of those that it had.</param>
    /// <param name="Parent">For a layer without a parent: the sealed layer that it comes to stand on.</param>
    public sealed record Freeze(
        LayerId Layer, IReadOnlyList<string>? Names = null, IReadOnlyDictionary<string, string>? Labels = null, LayerId? Parent = null) : ICommand;

    /// <summary>The layer is sealed.</summary>
    /// <param name="Layer">Its record.</param>
    public sealed record LayerFrozen(LayerRecord Layer) : IReply;

    /// <summary>
    /// Writes a layer's tar: byte for byte what was applied or sealed when <paramref name="From"/> is its parent or not given, verified
    /// against its DiffID; else, or for a writable layer, the difference of the two trees. Answers <see cref="DiffWritten"/>.
    /// </summary>
    /// <param name="Layer">The layer.</param>
    /// <param name="From">What to compare with; the parent if not given.</param>
    /// <param name="Target">Where the tar goes.</param>
    /// <param name="Compression">None, gzip or zstd.</param>
    /// <param name="Whole">Write the whole tree, as if nothing were below the layer. Refused as invalid argument together with <paramref name="From"/>.</param>
    /// <param name="Ticket">Its name in progress events, and for <see cref="Cancel"/>; none are published without it.</param>
    public sealed record WriteDiff(
        LayerId Layer, LayerId? From, BlobTarget Target, LayerCompression Compression = LayerCompression.None, bool Whole = false,
        TicketId? Ticket = null) : ICommand;

    /// <summary>The tar is written.</summary>
    /// <param name="DiffId">Digest of the uncompressed tar.</param>
    /// <param name="Size">Its length.</param>
    /// <param name="BlobDigest">Digest of what was written.</param>
    /// <param name="BlobSize">Length of what was written.</param>
    public sealed record DiffWritten(Digest DiffId, long Size, Digest BlobDigest, long BlobSize) : IReply;

    /// <summary>Lists what differs. Answers <see cref="Changes"/>.</summary>
    /// <param name="Layer">The layer.</param>
    /// <param name="From">What to compare with; the parent if not given.</param>
    /// <param name="Whole">List the whole tree, as if nothing were below the layer. Refused as invalid argument together with <paramref name="From"/>.</param>
    public sealed record GetChanges(LayerId Layer, LayerId? From = null, bool Whole = false) : ICommand;

    /// <summary>The differences.</summary>
    /// <param name="Items">Sorted by path.</param>
    public sealed record Changes(IReadOnlyList<LayerChange> Items) : IReply;

    /// <summary>
    /// Removes a layer: refused as in use while it has children, images or leases. What the caller waits for is a rename; its bytes are deleted
    /// afterwards. Answers <see cref="LayerRemoved"/>.
    /// </summary>
    /// <param name="Layer">The layer.</param>
    /// <param name="Force">End its leases and unmount it first.</param>
    /// <param name="HeldBy">The client that holds the layer (<see cref="LayerLabels.HeldBy"/>), if it is the one that removes it.</param>
    public sealed record Remove(LayerId Layer, bool Force = false, string? HeldBy = null) : ICommand;

    /// <summary>The layer is gone.</summary>
    /// <param name="Layer">Its id, free to be used again.</param>
    public sealed record LayerRemoved(LayerId Layer) : IReply;

    /// <summary>
    /// Unmounts layers, one after the other; what is in the way of one keeps no other. Without <paramref name="Force"/> only what was too busy to go with its last lease:
    /// nothing that somebody holds is touched. The store serves on: who wants no new mounts meanwhile sees to it that nobody asks. Answers <see cref="AllUnmounted"/>.
    /// </summary>
    /// <param name="Force">All layers: end leases of whomever, and detach mounts that are busy.</param>
    /// <param name="Reason">Why; goes to the log, and to those whose leases end.</param>
    public sealed record UnmountAll(bool Force = false, string? Reason = null) : ICommand;

    /// <summary>All that could be unmounted is.</summary>
    /// <param name="StillMounted">What is not, also what clients mounted themselves.</param>
    public sealed record AllUnmounted(IReadOnlyList<MountLeft> StillMounted) : IReply;

    /// <summary>A mount that is there still.</summary>
    /// <param name="Mount">Which, and who holds it.</param>
    /// <param name="Why">What was in the way; none where nothing was tried, since it is held.</param>
    public sealed record MountLeft(MountRecord Mount, StorageError? Why = null);

    /// <summary>Asks for what the store takes on disk. Answers <see cref="Usage"/>.</summary>
    /// <param name="Layer">Measure this layer alone; all of them if not given.</param>
    public sealed record GetUsage(LayerId? Layer = null) : ICommand;

    /// <summary>What the store takes on disk.</summary>
    /// <param name="Report">The numbers.</param>
    public sealed record Usage(UsageReport Report) : IReply;

    /// <summary>Asks where the driver keeps a layer, also one of an additional store. Answers <see cref="Metadata"/>.</summary>
    /// <param name="Layer">The layer.</param>
    public sealed record GetMetadata(LayerId Layer) : ICommand;

    /// <summary>Where the driver keeps the layer.</summary>
    /// <param name="Layer">The layer.</param>
    /// <param name="Item">Its directories, and the file system that they lie on.</param>
    public sealed record Metadata(LayerId Layer, LayerMetadata Item) : IReply;

    /// <summary>
    /// Looks for damage and leftovers, while the store serves. Answers <see cref="Checked"/>. What is worth knowing and no damage is a finding with
    /// <see cref="Finding.Note"/>: layers without a digest, which nothing can be compared with, and layers that nothing needs.
    /// </summary>
    /// <param name="Full">Re-computes every digest, reads what has none, and shows every layer as a mount would, where nobody sees it, too.</param>
    /// <param name="Repair">Puts right what can be.</param>
    /// <param name="DryRun">With <paramref name="Repair"/>: says what would be done.</param>
    /// <param name="Ticket">Its name in progress events, and for <see cref="Cancel"/>; none are published without it.</param>
    /// <param name="UnneededAfter">How old a layer that nothing needs has to be to be told; 24 hours if not given. Zero tells all.</param>
    public sealed record Check(
        bool Full = false, bool Repair = false, bool DryRun = false, TicketId? Ticket = null, TimeSpan? UnneededAfter = null) : ICommand;

    /// <summary>What the check found.</summary>
    /// <param name="Findings">Empty for a healthy store.</param>
    public sealed record Checked(IReadOnlyList<Finding> Findings) : IReply;

    /// <summary>
    /// Removes sealed layers without names that no image, no child and no lease needs. Answers <see cref="Collected"/> when they are gone from the store; their bytes
    /// are deleted after that, and what could not be deleted before is tried again.
    /// </summary>
    /// <param name="DryRun">Only say what would go.</param>
    /// <param name="Wait">Answer when the bytes are deleted.</param>
    /// <param name="Ticket">Its name in progress events, and for <see cref="Cancel"/>, which ends the waiting; none are published without it.</param>
    /// <param name="OlderThan">Leave layers alone that were made less than so long ago, and what those stand on; none are left alone if not given.</param>
    public sealed record CollectGarbage(bool DryRun = false, bool Wait = false, TicketId? Ticket = null, TimeSpan? OlderThan = null) : ICommand;

    /// <summary>
    /// Waits until the bytes of what was removed are deleted; what could not be deleted before is tried again. Answers <see cref="TrashEmptied"/>.
    /// </summary>
    /// <param name="Ticket">Its name in progress events, and for <see cref="Cancel"/>, which ends the waiting; none are published without it.</param>
    public sealed record EmptyTrash(TicketId? Ticket = null) : ICommand;

    /// <summary>Everything that can be deleted is.</summary>
    /// <param name="Left">Trees that could not be; they are tried again from time to time.</param>
    public sealed record TrashEmptied(int Left) : IReply;

    /// <summary>What went, or would go.</summary>
    /// <param name="Layers">The layers.</param>
    /// <param name="Bytes">Their allocated bytes.</param>
    public sealed record Collected(IReadOnlyList<LayerId> Layers, long Bytes) : IReply;

    /// <summary>Asks for versions, the driver and why it was chosen, probes and settings. Answers <see cref="Info"/>.</summary>
    public sealed record GetInfo : ICommand;

    /// <summary>Facts about the store.</summary>
    /// <param name="Root">Its root directory.</param>
    /// <param name="StoreId">Its identity; empty where there is no store yet.</param>
    /// <param name="Driver">The driver in use, or that a store would have.</param>
    /// <param name="Facts">The rest, for people.</param>
    /// <param name="Limits">What one layer may take, for programs that unfold something before the store sees it.</param>
    public sealed record Info(string Root, string StoreId, string Driver, IReadOnlyList<StoreFact> Facts, StoreLimits? Limits = null) : IReply;

    /// <summary>Asks for what the store has counted and measured since it was opened. Answers <see cref="Statistics"/>.</summary>
    public sealed record GetStatistics : ICommand;

    /// <summary>What was counted and measured.</summary>
    /// <param name="Counters">Counters and gauges, by name.</param>
    /// <param name="Latencies">How long locks were waited for and held, and how long operations took.</param>
    public sealed record Statistics(IReadOnlyList<CounterRecord> Counters, IReadOnlyList<LatencyRecord> Latencies) : IReply;
}
