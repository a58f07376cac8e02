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
    private readonly LayerSetups _setups = new(View, Layout);

    /// <summary>Where the layers below are, nearest first.</summary>
    internal IReadOnlyList<LayerLocation> ParentsOf(LayerRecord layer) => [.. View.Current.AncestorsOf(layer).Select(Locate)];

    /// <summary>Where a layer of the store, or of an additional one, is.</summary>
    internal LayerLocation Locate(LayerId layer) => View.Current.Locate(Layout, layer);

    /// <summary>What a layer's actor needs to know of it.</summary>
    internal LayerSetup SetupOf(LayerRecord layer) => _setups.Of(layer);
}
