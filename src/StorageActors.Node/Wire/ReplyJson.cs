using System.Text.Json;
using StorageActors.Protocol;
using StorageActors.Records;

namespace StorageActors.Node.Wire;

/// <summary>
/// The answers to the commands of short verbs, read by hand: what an answer must have is missed, and what a newer node adds is passed over, as by the serializer. See
/// <see cref="CommandJson"/>.
/// </summary>
internal static class ReplyJson
{
    /// <summary>The answer; none of a type that is left to the serializer.</summary>
    /// <exception cref="JsonException">It is something else.</exception>
    internal static object? TryRead(Type type, ReadOnlySpan<byte> json) =>
        type == typeof(CatalogProtocol.Resolved) ? JsonRead.Document(json, Resolved)
        : type == typeof(LayerProtocol.Acquired) ? JsonRead.Document(json, MountJson.Acquired)
        : type == typeof(LayerProtocol.Released) ? JsonRead.Document(json, MountJson.Released)
        : type == typeof(CatalogProtocol.Layers) ? new CatalogProtocol.Layers(JsonRead.Document(json, Layers))
        : type == typeof(CatalogProtocol.Images) ? new CatalogProtocol.Images(JsonRead.Document(json, Images))
        : type == typeof(CatalogProtocol.Mounts) ? new CatalogProtocol.Mounts(JsonRead.Document(json, Mounts))
        : type == typeof(StoreProtocol.Metadata) ? JsonRead.Document(json, MetadataJson.Read)
        : type == typeof(StoreProtocol.LayerCreated) ? new StoreProtocol.LayerCreated(JsonRead.Document(json, Layer))
        : type == typeof(StoreProtocol.LayerSealed) ? new StoreProtocol.LayerSealed(JsonRead.Document(json, Layer))
        : type == typeof(StoreProtocol.Applied) ? new StoreProtocol.Applied(JsonRead.Document(json, Applied))
        : type == typeof(StoreProtocol.LayerRemoved) ? JsonRead.Document(json, Removed)
        : type == typeof(CatalogProtocol.ImageRemoved) ? JsonRead.Document(json, ImageRemoved)
        : type == typeof(LayerProtocol.Holders) ? JsonRead.Document(json, MountJson.Holders)
        : type == typeof(WireError) ? JsonRead.Document(json, ErrorJson.Read)
        : null;

    private static CatalogProtocol.Resolved Resolved(ref Utf8JsonReader reader)
    {
        var (layer, image) = (default(LayerRecord), default(ImageRecord));
        while (JsonRead.NextMember(ref reader, out var name))
        {
            if (name == "layer") layer = reader.TokenType == JsonTokenType.Null ? null : LayerRecordJson.Read(ref reader);
            else if (name == "image") image = reader.TokenType == JsonTokenType.Null ? null : ImageRecordJson.Read(ref reader);
            else JsonRead.Pass(ref reader);
        }

        return new CatalogProtocol.Resolved(layer, image);
    }

    private static List<LayerRecord> Layers(ref Utf8JsonReader reader) => Only(ref reader, "items", LayerRecordJson.Read);

    private static List<ImageRecord> Images(ref Utf8JsonReader reader) => Only(ref reader, "items", ImageRecordJson.Read);

    private static List<MountRecord> Mounts(ref Utf8JsonReader reader) => Only(ref reader, "items", MountJson.Mount);

    /// <summary>The record of an answer that has nothing else.</summary>
    private static LayerRecord Layer(ref Utf8JsonReader reader)
    {
        LayerRecord? layer = null;
        while (JsonRead.NextMember(ref reader, out var name))
        {
            if (name == "layer") layer = LayerRecordJson.Read(ref reader);
            else JsonRead.Pass(ref reader);
        }

        return layer ?? throw JsonRead.Missing("layer");
    }

    private static List<StoreProtocol.AppliedLayer> Applied(ref Utf8JsonReader reader) => Only(ref reader, "layers", AppliedLayer);

    private static StoreProtocol.AppliedLayer AppliedLayer(ref Utf8JsonReader reader)
    {
        JsonRead.Begin(ref reader, JsonTokenType.StartObject);
        LayerRecord? layer = null;
        bool? reused = null;
        double? seconds = null;
        while (JsonRead.NextMember(ref reader, out var name))
        {
            switch (name)
            {
                case "layer": layer = LayerRecordJson.Read(ref reader); break;
                case "reused": reused = reader.TokenType is JsonTokenType.True or JsonTokenType.False ? reader.GetBoolean() : throw JsonRead.Wrong(ref reader, "true or false"); break;
                case "seconds": seconds = reader.TokenType == JsonTokenType.Number ? reader.GetDouble() : throw JsonRead.Wrong(ref reader, "a number"); break;
                default: JsonRead.Pass(ref reader); break;
            }
        }

        return new StoreProtocol.AppliedLayer(layer ?? throw JsonRead.Missing("layer"), reused ?? throw JsonRead.Missing("reused"), seconds ?? throw JsonRead.Missing("seconds"));
    }

    private static StoreProtocol.LayerRemoved Removed(ref Utf8JsonReader reader)
    {
        LayerId? layer = null;
        while (JsonRead.NextMember(ref reader, out var name))
        {
            if (name == "layer") layer = JsonRead.LayerId(ref reader);
            else JsonRead.Pass(ref reader);
        }

        return new StoreProtocol.LayerRemoved(layer ?? throw JsonRead.Missing("layer"));
    }

    private static CatalogProtocol.ImageRemoved ImageRemoved(ref Utf8JsonReader reader)
    {
        ImageId? image = null;
        LayerId[]? layers = null;
        while (JsonRead.NextMember(ref reader, out var name))
        {
            if (name == "image") image = JsonRead.ImageId(ref reader);
            else if (name == "layers") layers = JsonRead.LayerIds(ref reader);
            else JsonRead.Pass(ref reader);
        }

        return new CatalogProtocol.ImageRemoved(image ?? throw JsonRead.Missing("image"), layers ?? throw JsonRead.Missing("layers"));
    }

    /// <summary>The list of an answer that has nothing else.</summary>
    private static List<T> Only<T>(ref Utf8JsonReader reader, string list, JsonRead.Members<T> item) where T : class
    {
        List<T>? items = null;
        while (JsonRead.NextMember(ref reader, out var name))
        {
            if (name == list) items = List(ref reader, item);
            else JsonRead.Pass(ref reader);
        }

        return items ?? throw JsonRead.Missing(list);
    }

    internal static List<T> List<T>(ref Utf8JsonReader reader, JsonRead.Members<T> item) where T : class
    {
        JsonRead.Begin(ref reader, JsonTokenType.StartArray);
        var items = new List<T>();
        while (JsonRead.NextItem(ref reader)) items.Add(item(ref reader));
        return items;
    }
}
