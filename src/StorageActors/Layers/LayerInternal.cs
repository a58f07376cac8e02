using Akka.Actor;
using StorageActors.Drivers;
using StorageActors.Protocol;

namespace StorageActors.Layers;

/// <summary>
/// What the store and its layers say to each other besides <see cref="LayerProtocol"/>. Everything for a layer goes to <see cref="LayersActor"/>
/// in a <see cref="Deliver"/> that keeps the sender, and is answered by the layer.
/// </summary>
internal static class LayerInternal
{
    /// <summary>To <see cref="LayersActor"/>: hand the message to the layer's actor, starting it if it is not there. No message is lost to a stop.</summary>
    /// <param name="Setup">The layer as the catalog knows it now.</param>
    /// <param name="Message">A <see cref="LayerProtocol.ICommand"/> or one of the messages below.</param>
    internal sealed record Deliver(LayerSetup Setup, object Message);

    /// <summary>From a layer's actor to <see cref="LayersActor"/>: its journal is read, send messages.</summary>
    internal sealed record Ready(LayerId Layer);

    /// <summary>To <see cref="LayersActor"/>: whether a layer has an actor now. Answers <see cref="Running"/>.</summary>
    internal sealed record IsRunning(LayerId Layer);

    /// <summary>Whether it has; without one nobody mounts or unmounts it.</summary>
    internal sealed record Running(LayerId Layer, bool IsRunning);

    /// <summary>
    /// Only starts the actor, which then takes over the mount that it finds, or unmounts it when nobody holds it. Answers
    /// <see cref="Awake"/> when that is settled.
    /// </summary>
    internal sealed record Wake;

    /// <summary>The layer's actor has settled what an earlier engine left.</summary>
    internal sealed record Awake(LayerId Layer, MountRecord? Mount);

    /// <summary>
    /// Prepares removal: with <paramref name="Force"/> ends all leases and unmounts at any price, else refuses as in use when there are any. Answers
    /// <see cref="Drained"/> or <see cref="StoreProtocol.Refused"/>. Commands wait from then on, until <see cref="Undrain"/> or <see cref="Forget"/>.
    /// </summary>
    internal sealed record Drain(bool Force);

    /// <summary>
    /// Unmounts what was too busy to go with its last lease; what somebody holds stays. Answers <see cref="LayerProtocol.Released"/>, or
    /// <see cref="StoreProtocol.Refused"/> when it is busy still.
    /// </summary>
    internal sealed record UnmountUnheld;

    /// <summary>Nothing is mounted, nobody holds it, and it stays so.</summary>
    internal sealed record Drained(LayerId Layer);

    /// <summary>The removal did not happen: serve again. No answer.</summary>
    internal sealed record Undrain;

    /// <summary>The layer is gone: waiting commands are refused as not found, its journal is deleted and the actor stops. No answer.</summary>
    internal sealed record Forget;

    /// <summary>
    /// Keeps the layer from being mounted read-write while it is sealed. Answers <see cref="Held"/>, or refuses as in use when it is mounted so.
    /// Commands wait until <see cref="Unhold"/>, or until <paramref name="By"/> dies.
    /// </summary>
    internal sealed record Hold(IActorRef By);

    /// <summary>Nobody writes to the layer, and it stays so.</summary>
    internal sealed record Held(LayerId Layer);

    /// <summary>Serve again, as a layer of this kind; of one that was put onto others meanwhile, on these. No answer.</summary>
    internal sealed record Unhold(LayerKind Kind, IReadOnlyList<LayerLocation>? Parents = null);

    /// <summary>The layer was found damaged, or (null) sound again. No answer; existing mounts stay.</summary>
    internal sealed record ChangeDamage(string? Damage);

    /// <summary>From a layer's actor to <see cref="LayersActor"/>: nothing to do for a long time; keep my messages from now on.</summary>
    internal sealed record Passivate(LayerId Layer);

    /// <summary>The answer to <see cref="Passivate"/>: stop, unless something came in between.</summary>
    internal sealed record StopIdle;

    /// <summary>Something came in between.</summary>
    internal sealed record StillBusy(LayerId Layer);

    /// <summary>From a layer's actor to <see cref="LayersActor"/>: the journal did not take its leases, so it stops.</summary>
    internal sealed record JournalFailed(LayerId Layer, string Reason);

    /// <summary>To <see cref="LayersActor"/>, and from there to its layers: answers <see cref="Flushed"/> when the journal has all that happened before.</summary>
    /// <param name="Number">Which flush of the one who asks it is; comes back with the answer.</param>
    internal sealed record Flush(int Number);

    /// <summary>The journal has it.</summary>
    internal sealed record Flushed(int Number);
}
