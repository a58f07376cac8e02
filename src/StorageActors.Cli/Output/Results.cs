using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using StorageActors.Node.Wire;
using StorageActors.Protocol;

namespace StorageActors.Cli.Output;

/// <summary>What <c>apply</c> and <c>commit</c> print.</summary>
internal sealed record LayerResult(
    LayerId Id, LayerId? Parent, Digest? DiffId, Digest? ChainId, Digest? BlobDigest, long? Size, long? Entries, double Seconds, bool? Reused)
{
    /// <param name="layer">The layer.</param>
    /// <param name="seconds">How long it took.</param>
    /// <param name="reused">Whether the store had it; null when that was not asked for.</param>
    internal static LayerResult Of(LayerRecord layer, double seconds, bool? reused = null) => new(
        layer.Id, layer.Parent, layer.DiffId, layer.ChainId, layer.BlobDigest, layer.Size, layer.Entries, Math.Round(seconds, 3), reused);
}

/// <summary>What <c>import</c> prints.</summary>
internal sealed record ImportResult(ImageId Id, IReadOnlyList<string> Names, IReadOnlyList<ImportedLayer> Layers, double Seconds, long Bytes);

/// <summary>A layer of an imported image.</summary>
internal sealed record ImportedLayer(LayerId Id, Digest? DiffId, Digest? ChainId, Digest? BlobDigest, long? Size, bool Reused);

/// <summary>What <c>export</c> prints.</summary>
internal sealed record ExportResult(Digest Digest, string Destination, bool SameDigests, double Seconds);

/// <summary>What <c>mount</c> prints.</summary>
internal sealed record MountResult(string Path, LeaseId Lease, int Leases, MountMode Mode);

/// <summary>What <c>umount</c> prints.</summary>
internal sealed record UnmountResult(LayerId Layer, int Leases);

/// <summary>What <c>ps --why</c> prints.</summary>
internal sealed record HoldersResult(LayerId Layer, IReadOnlyList<string> Holders);

/// <summary>What <c>rm</c> prints.</summary>
internal sealed record RemoveResult(IReadOnlyList<string> Removed);

/// <summary>What <c>name</c> prints.</summary>
internal sealed record NamesResult(string Id, IReadOnlyList<string> Names);

/// <summary>What <c>label</c> prints.</summary>
internal sealed record LabelsResult(string Id, IReadOnlyDictionary<string, string> Labels);

/// <summary>What <c>document</c> prints of all documents, or after a change.</summary>
internal sealed record DocumentsResult(string Id, IReadOnlyList<BigDataItem> Documents);

/// <summary>What <c>gc</c> prints.</summary>
internal sealed record CollectResult(IReadOnlyList<LayerId> Layers, long Bytes, bool DryRun);

/// <summary>Bytes and inodes of a share of the layers.</summary>
internal sealed record Share(int Layers, long Bytes, long Inodes);

/// <summary>What <c>df</c> prints.</summary>
internal sealed record UsageResult(
    IReadOnlyList<LayerUsage> Layers, Share Total, Share Shared, Share Exclusive, Share Reclaimable, long TrashBytes, long FreeBytes, long FreeInodes,
    IReadOnlyList<ImageUsage> Images, long ImageBytes, int Blobs, long BlobBytes);

/// <summary>What <c>info</c> prints.</summary>
internal sealed record InfoResult(string Version, string Engine, string Root, string StoreId, string Driver, IReadOnlyList<StoreFact> Facts);

/// <summary>How results become JSON: the wire's form, indented.</summary>
internal static class ResultJson
{
    private static readonly JsonSerializerOptions Options = new(WireJson.ClientOptions)
    {
        WriteIndented = true,
        TypeInfoResolver = JsonTypeInfoResolver.Combine(ResultJsonContext.Default, WireJsonContext.Default),
    };

    /// <summary>A record with one more key at its end, which holds another one.</summary>
    internal static string Write<T, TMore>(T value, string key, TMore more)
    {
        var document = JsonSerializer.SerializeToNode(value, (JsonTypeInfo<T>)Options.GetTypeInfo(typeof(T)))!.AsObject();
        document.Add(key, JsonSerializer.SerializeToNode(more, (JsonTypeInfo<TMore>)Options.GetTypeInfo(typeof(TMore))));
        return document.ToJsonString(Options);
    }

    internal static string Write<T>(T value) => JsonSerializer.Serialize(value, (JsonTypeInfo<T>)Options.GetTypeInfo(typeof(T)));
}

/// <summary>The documents that verbs print and the wire does not know.</summary>
[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(LayerResult))]
[JsonSerializable(typeof(ImportResult))]
[JsonSerializable(typeof(ExportResult))]
[JsonSerializable(typeof(MountResult))]
[JsonSerializable(typeof(UnmountResult))]
[JsonSerializable(typeof(HoldersResult))]
[JsonSerializable(typeof(RemoveResult))]
[JsonSerializable(typeof(NamesResult))]
[JsonSerializable(typeof(LabelsResult))]
[JsonSerializable(typeof(DocumentsResult))]
[JsonSerializable(typeof(CollectResult))]
[JsonSerializable(typeof(UsageResult))]
[JsonSerializable(typeof(InfoResult))]
[JsonSerializable(typeof(Demo.DemoReport))]
[JsonSerializable(typeof(RebuildReport))]
[JsonSerializable(typeof(IReadOnlyList<LayerRecord>))]
[JsonSerializable(typeof(IReadOnlyList<ImageRecord>))]
[JsonSerializable(typeof(IReadOnlyList<MountRecord>))]
[JsonSerializable(typeof(IReadOnlyList<LayerChange>))]
[JsonSerializable(typeof(IReadOnlyList<Finding>))]
internal sealed partial class ResultJsonContext : JsonSerializerContext;
