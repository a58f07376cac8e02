using Akka.Actor;
using StorageActors.Drivers;
using StorageActors.Protocol;
using StorageActors.Store;

namespace StorageActors.Layers;

/// <summary>What the catalog knows of a layer and its actor needs.</summary>
/// <param name="Location">The layer and its directory.</param>
/// <param name="Parents">The layers below, nearest first.</param>
/// <param name="Kind">Sealed or writable.</param>
/// <param name="Created">As in its record: tells this layer from an earlier one of the same id, whose leases it must not inherit.</param>
/// <param name="Damage">Why it cannot be mounted, if it cannot.</param>
internal sealed record LayerSetup(
    LayerLocation Location, IReadOnlyList<LayerLocation> Parents, LayerKind Kind, DateTimeOffset Created, string? Damage = null)
{
    internal LayerId Id => Location.Id;

    /// <summary>The name of its leases in the journal.</summary>
    internal string PersistenceId => $"layer-{Id}@{Created.UtcTicks:x}";

    /// <summary>Whether it is the same layer, not another one that has its id.</summary>
    internal bool IsSameLayer(LayerSetup other) => Id == other.Id && Created == other.Created;

    /// <summary>What is known when <paramref name="next"/> has come, too: the newest, but sealed stays sealed, whoever asks late.</summary>
    internal LayerSetup Then(LayerSetup next) => Kind == LayerKind.Sealed && next.Kind != LayerKind.Sealed ? next with { Kind = LayerKind.Sealed } : next;
}

/// <summary>What all layer actors of a store share.</summary>
/// <param name="Operations">The driver operations' supervisor.</param>
/// <param name="Time">The clock of leases.</param>
/// <param name="BootId">This boot of the machine; leases of another one are dropped.</param>
/// <param name="Run">This run of the engine; leases that actors of another one held are dropped.</param>
/// <param name="Metrics">Is told how much is mounted.</param>
/// <param name="Mounts">Shows others what is mounted.</param>
/// <param name="IdleTimeout">After so long without a message an unmounted layer's actor stops.</param>
/// <param name="LingerRetry">How often a mount that nobody holds, but that is busy, is tried again.</param>
/// <param name="JournalPluginId">The journal of the store's leases; null for the system's default.</param>
/// <param name="SnapshotPluginId">Their snapshots; null for the system's default.</param>
internal sealed record LayerEnvironment(
    IActorRef Operations, TimeProvider Time, string BootId, string Run, StoreMetrics Metrics, MountView Mounts, TimeSpan IdleTimeout, TimeSpan LingerRetry,
    string? JournalPluginId = null, string? SnapshotPluginId = null)
{
    /// <summary>How often it is seen to whether the process or the term of a lease is over.</summary>
    internal TimeSpan TermCheck { get; init; } = TimeSpan.FromSeconds(2);
}
