using System.Text.Json.Serialization;
using StorageActors.Protocol;

namespace StorageActors.Node.Wire;

/// <summary>
/// How the protocol's messages are written as JSON: camelCase keys, absent values left out. Generated at compile time, since building the
/// same by reflection would double the time that a verb takes. A test holds that no message is missing.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters =
    [
        typeof(WireTimeConverter),
        typeof(WireEnumConverter<StorageErrorCode>),
        typeof(WireEnumConverter<StorageErrorReason>),
        typeof(WireEnumConverter<LayerCompression>),
        typeof(WireEnumConverter<LayerKind>),
        typeof(WireEnumConverter<MountMode>),
        typeof(WireEnumConverter<ChangeKind>),
        typeof(WireEnumConverter<StagingPhase>),
    ])]
[JsonSerializable(typeof(StoreProtocol.Refused))]
[JsonSerializable(typeof(StoreProtocol.Apply))]
[JsonSerializable(typeof(StoreProtocol.Applied))]
[JsonSerializable(typeof(StoreProtocol.Cancel))]
[JsonSerializable(typeof(StoreProtocol.CancelAccepted))]
[JsonSerializable(typeof(StoreProtocol.Create))]
[JsonSerializable(typeof(StoreProtocol.LayerCreated))]
[JsonSerializable(typeof(StoreProtocol.Seal))]
[JsonSerializable(typeof(StoreProtocol.LayerSealed))]
[JsonSerializable(typeof(StoreProtocol.Fill))]
[JsonSerializable(typeof(StoreProtocol.LayerFilled))]
[JsonSerializable(typeof(StoreProtocol.Freeze))]
[JsonSerializable(typeof(StoreProtocol.LayerFrozen))]
[JsonSerializable(typeof(StoreProtocol.WriteDiff))]
[JsonSerializable(typeof(StoreProtocol.DiffWritten))]
[JsonSerializable(typeof(StoreProtocol.GetChanges))]
[JsonSerializable(typeof(StoreProtocol.Changes))]
[JsonSerializable(typeof(StoreProtocol.Remove))]
[JsonSerializable(typeof(StoreProtocol.LayerRemoved))]
[JsonSerializable(typeof(StoreProtocol.GetUsage))]
[JsonSerializable(typeof(StoreProtocol.Usage))]
[JsonSerializable(typeof(StoreProtocol.UnmountAll))]
[JsonSerializable(typeof(StoreProtocol.AllUnmounted))]
[JsonSerializable(typeof(StoreProtocol.GetMetadata))]
[JsonSerializable(typeof(StoreProtocol.Metadata))]
[JsonSerializable(typeof(StoreProtocol.Check))]
[JsonSerializable(typeof(StoreProtocol.Checked))]
[JsonSerializable(typeof(StoreProtocol.CollectGarbage))]
[JsonSerializable(typeof(StoreProtocol.Collected))]
[JsonSerializable(typeof(StoreProtocol.EmptyTrash))]
[JsonSerializable(typeof(StoreProtocol.TrashEmptied))]
[JsonSerializable(typeof(StoreProtocol.GetInfo))]
[JsonSerializable(typeof(StoreProtocol.Info))]
[JsonSerializable(typeof(StoreProtocol.GetStatistics))]
[JsonSerializable(typeof(StoreProtocol.Statistics))]
[JsonSerializable(typeof(LayerProtocol.Acquire))]
[JsonSerializable(typeof(LayerProtocol.Acquired))]
[JsonSerializable(typeof(LayerProtocol.Release))]
[JsonSerializable(typeof(LayerProtocol.ReleaseAll))]
[JsonSerializable(typeof(LayerProtocol.Released))]
[JsonSerializable(typeof(LayerProtocol.Describe))]
[JsonSerializable(typeof(LayerProtocol.Described))]
[JsonSerializable(typeof(LayerProtocol.WhyBusy))]
[JsonSerializable(typeof(LayerProtocol.Holders))]
[JsonSerializable(typeof(CatalogProtocol.ListLayers))]
[JsonSerializable(typeof(CatalogProtocol.Layers))]
[JsonSerializable(typeof(CatalogProtocol.ListImages))]
[JsonSerializable(typeof(CatalogProtocol.Images))]
[JsonSerializable(typeof(CatalogProtocol.ListMounts))]
[JsonSerializable(typeof(CatalogProtocol.Mounts))]
[JsonSerializable(typeof(CatalogProtocol.Resolve))]
[JsonSerializable(typeof(CatalogProtocol.Resolved))]
[JsonSerializable(typeof(CatalogProtocol.FindChain))]
[JsonSerializable(typeof(CatalogProtocol.ChangeNames))]
[JsonSerializable(typeof(CatalogProtocol.ChangeLabels))]
[JsonSerializable(typeof(CatalogProtocol.PutImage))]
[JsonSerializable(typeof(CatalogProtocol.ImagePut))]
[JsonSerializable(typeof(CatalogProtocol.RemoveImage))]
[JsonSerializable(typeof(CatalogProtocol.ImageRemoved))]
[JsonSerializable(typeof(CatalogProtocol.GetBigData))]
[JsonSerializable(typeof(CatalogProtocol.PutBigData))]
[JsonSerializable(typeof(CatalogProtocol.RemoveBigData))]
[JsonSerializable(typeof(CatalogProtocol.BigDataContent))]
[JsonSerializable(typeof(CatalogProtocol.ReadBlob))]
[JsonSerializable(typeof(CatalogProtocol.BlobRead))]
[JsonSerializable(typeof(StagingProgress))]
[JsonSerializable(typeof(WireError))]
[JsonSerializable(typeof(WireTransfer))]
[JsonSerializable(typeof(WireHealth))]
public sealed partial class WireJsonContext : JsonSerializerContext;
