using System.Text.Json.Serialization;
using Akka.Actor;

namespace StorageActors.Protocol;

/// <summary>What one layer accepts, answers and publishes: its mount and its leases.</summary>
public static class LayerProtocol
{
    /// <summary>A command to one layer; exactly one reply each.</summary>
    public interface ICommand : StoreProtocol.ICommand
    {
        /// <summary>The layer.</summary>
        LayerId Layer { get; }
    }

    /// <summary>An outcome, sent once it is true.</summary>
    public interface IReply : StoreProtocol.IReply
    {
        /// <summary>The layer.</summary>
        LayerId Layer { get; }
    }

    /// <summary>Published on the event stream of the actor system.</summary>
    public interface IEvent
    {
        /// <summary>The layer.</summary>
        LayerId Layer { get; }
    }

    /// <summary>
    /// Adds a lease, mounting on the first. Answers <see cref="Acquired"/> or <see cref="StoreProtocol.Refused"/>; a repeat with the same lease
    /// gets the same answer, and renews its term. Refused as wrong state when writing is asked of a layer that is mounted read-only, or
    /// other ids than it is mounted with: a layer has one mount. Who wants the same layers with other ids makes a writable layer on them, which shares their content.
    /// </summary>
    /// <param name="Layer">The layer.</param>
    /// <param name="Lease">The holder's name for its claim.</param>
    /// <param name="Options">How to mount, if this is the first lease.</param>
    /// <param name="Holder">The holder, whose death releases the lease; without one it lasts until it is released or the machine restarts.</param>
    /// <param name="Owner">Whose it is, without a holder: a process, whose end releases it, or a word for people.</param>
    /// <param name="Term">After so long, at most ten years, it ends by itself, unless it is acquired again.</param>
    public sealed record Acquire(
        LayerId Layer,
        LeaseId Lease,
        MountOptions Options,
        [property: JsonIgnore] IActorRef? Holder = null,
        LeaseOwner? Owner = null,
        TimeSpan? Term = null) : ICommand;

    /// <summary>The lease is granted and the layer is mounted.</summary>
    /// <param name="Layer">The layer.</param>
    /// <param name="Lease">The lease.</param>
    /// <param name="MountPath">Where.</param>
    /// <param name="Mode">Read-write or read-only.</param>
    /// <param name="Leases">How many leases there are now.</param>
    public sealed record Acquired(LayerId Layer, LeaseId Lease, string MountPath, MountMode Mode, int Leases) : IReply;

    /// <summary>
    /// Ends a lease; the last one unmounts. Answers <see cref="Released"/>. A lease that is not there (released already) is refused as not found,
    /// a layer without any as wrong state, "not mounted".
    /// </summary>
    /// <param name="Layer">The layer.</param>
    /// <param name="Lease">The lease; without it the only one there is, else refused as ambiguous (invalid argument). Without it also a mount goes that was too busy to
    /// go with its last lease.</param>
    /// <param name="Force">Detach the mount, if it is the last lease and somebody keeps the mount busy.</param>
    /// <param name="Reason">Why, when it is not the owner who ends it: kept in the log and in <see cref="LeaseEnded"/>.</param>
    public sealed record Release(LayerId Layer, LeaseId? Lease, bool Force = false, string? Reason = null) : ICommand;

    /// <summary>Ends every lease and unmounts. Answers <see cref="Released"/>, also when there was none.</summary>
    /// <param name="Layer">The layer.</param>
    /// <param name="Force">Detach the mount, if somebody keeps it busy.</param>
    /// <param name="Reason">Why, when it is not their owners who end them.</param>
    public sealed record ReleaseAll(LayerId Layer, bool Force = false, string? Reason = null) : ICommand;

    /// <summary>The lease has ended; with none left the layer is unmounted.</summary>
    /// <param name="Layer">The layer.</param>
    /// <param name="LeasesLeft">How many are left.</param>
    public sealed record Released(LayerId Layer, int LeasesLeft) : IReply;

    /// <summary>Asks which mounts a client would have to make itself to see the layer; takes no lease. Answers <see cref="Described"/>.</summary>
    /// <param name="Layer">The layer.</param>
    /// <param name="Options">How it would be mounted.</param>
    public sealed record Describe(LayerId Layer, MountOptions Options) : ICommand;

    /// <summary>The mounts, to be made in order.</summary>
    /// <param name="Layer">The layer.</param>
    /// <param name="Steps">At least one.</param>
    public sealed record Described(LayerId Layer, IReadOnlyList<MountStep> Steps) : IReply;

    /// <summary>Asks who keeps the layer's mount busy: processes and mount namespaces. Answers <see cref="Holders"/>.</summary>
    /// <param name="Layer">The layer.</param>
    public sealed record WhyBusy(LayerId Layer) : ICommand;

    /// <summary>Who keeps the mount busy.</summary>
    /// <param name="Layer">The layer.</param>
    /// <param name="Lines">One line for each: process, name, what it holds.</param>
    public sealed record Holders(LayerId Layer, IReadOnlyList<string> Lines) : IReply;

    /// <summary>The layer was mounted.</summary>
    /// <param name="Layer">The layer.</param>
    /// <param name="MountPath">Where.</param>
    public sealed record LayerMounted(LayerId Layer, string MountPath) : IEvent;

    /// <summary>A lease ended, and not because its owner released it: the owner died, its term was over, or it was ended with a reason.</summary>
    /// <param name="Layer">The layer.</param>
    /// <param name="Lease">The lease.</param>
    /// <param name="Owner">Whose it was.</param>
    /// <param name="Reason">Why.</param>
    public sealed record LeaseEnded(LayerId Layer, LeaseId Lease, string Owner, string Reason) : IEvent;

    /// <summary>The layer was unmounted.</summary>
    /// <param name="Layer">The layer.</param>
    public sealed record LayerUnmounted(LayerId Layer) : IEvent;
}
