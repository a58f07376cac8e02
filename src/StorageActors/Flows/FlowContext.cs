using System.Collections.Immutable;
using Akka.Actor;
using StorageActors.Catalog;
using StorageActors.Drivers;
using StorageActors.Layers;
using StorageActors.Protocol;
using StorageActors.Settings;
using StorageActors.Store;
using StorageActors.Transfers;

namespace StorageActors.Flows;

/// <summary>The neighbours of every flow, and what it may read without asking.</summary>
internal sealed record FlowContext(
    IActorRef Catalog,
    IActorRef Layers,
    IActorRef Operations,
    IActorRef Stagings,
    IActorRef Durability,
    IActorRef Trash,
    CatalogView View,
    MountView Mounts,
    StoreLayout Layout,
    StorageSettings Settings,
    DriverCapabilities Capabilities,
    TransferTable Transfers,
    TimeProvider Time,
    Action<StagingProgress> Publish)
{
    /// <summary>Where the layers below are, nearest first.</summary>
    internal IReadOnlyList<LayerLocation> ParentsOf(LayerRecord layer) => [.. View.Current.AncestorsOf(layer).Select(Layout.Locate)];

    /// <summary>What a layer's actor needs to know of it.</summary>
    internal LayerSetup SetupOf(LayerRecord layer) => new(Layout.Locate(layer.Id), ParentsOf(layer), layer.Kind, layer.Created, layer.Damage);
}

/// <summary>What is mounted, for readers on any thread: the store's supervisor replaces it whenever a layer says that its mount has changed.</summary>
internal sealed class MountView
{
    private ImmutableDictionary<LayerId, MountRecord> _current = ImmutableDictionary<LayerId, MountRecord>.Empty;
    private ImmutableHashSet<LayerId> _leased = ImmutableHashSet<LayerId>.Empty;

    internal IEnumerable<MountRecord> Mounts => Volatile.Read(ref _current).Values;

    /// <summary>Whether somebody holds the layer, or its mount is there still.</summary>
    internal bool IsHeld(LayerId layer) => Volatile.Read(ref _current).ContainsKey(layer) || Volatile.Read(ref _leased).Contains(layer);

    /// <summary>The layer that is mounted at a path.</summary>
    internal LayerId? FindPath(string path) => Mounts.FirstOrDefault(mount => string.Equals(mount.Path, path, StringComparison.Ordinal))?.Layer;

    /// <summary>For the supervisor alone.</summary>
    internal void Note(LayerInternal.MountChanged changed)
    {
        Volatile.Write(ref _current, changed.Mount is null ? _current.Remove(changed.Layer) : _current.SetItem(changed.Layer, changed.Mount));
        Volatile.Write(ref _leased, changed.Leases.Count == 0 ? _leased.Remove(changed.Layer) : _leased.Add(changed.Layer));
    }
}
