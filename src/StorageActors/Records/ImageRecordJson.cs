using System.Text.Json;
using System.Text.Json.Serialization;
using StorageActors.Protocol;

namespace StorageActors.Records;

/// <summary>An image's record as JSON by hand, byte for byte as the serializer's own way has it; see <see cref="JsonRead"/>.</summary>
internal sealed class ImageRecordJson : JsonConverter<ImageRecord>
{
    /// <inheritdoc/>
    public override ImageRecord Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Read(ref reader);

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, ImageRecord value, JsonSerializerOptions options) => Write(writer, value);

    internal static void Write(Utf8JsonWriter writer, ImageRecord value)
    {
        writer.WriteStartObject();
        writer.WriteString("id"u8, value.Id.Value);
        JsonWrite.Texts(writer, "names"u8, value.Names);
        writer.WriteStartArray("layers"u8);
        for (var i = 0; i < value.Layers.Count; i++) writer.WriteStringValue(value.Layers[i].Value);
        writer.WriteEndArray();
        JsonWrite.Pairs(writer, "labels"u8, value.Labels);
        writer.WriteString("created"u8, value.Created);
        JsonWrite.Digest(writer, "manifestDigest"u8, value.ManifestDigest);
        BigDataJson.Write(writer, value.BigData);
        if (value.Blobs is { } blobs)
        {
            writer.WriteStartArray("blobs"u8);
            for (var i = 0; i < blobs.Count; i++) writer.WriteStringValue(blobs[i].Value);
            writer.WriteEndArray();
        }

        if (value.AdditionalStore is { } store) writer.WriteString("additionalStore"u8, store);
        if (value.NamesHistory is { } history) JsonWrite.Texts(writer, "namesHistory"u8, history);
        if (value.Added is { } added) writer.WriteString("added"u8, added);
        writer.WriteEndObject();
    }

    /// <summary>The record that begins where the reader is.</summary>
    /// <exception cref="JsonException">There is none, or something that it must have is missing or malformed.</exception>
    internal static ImageRecord Read(ref Utf8JsonReader reader)
    {
        JsonRead.Begin(ref reader, JsonTokenType.StartObject);
        ImageId? id = null;
        string[]? names = null;
        LayerId[]? layers = null;
        Dictionary<string, string>? labels = null;
        DateTimeOffset? created = null;
        Digest? manifest = null;
        List<BigDataItem>? documents = null;
        Digest[]? blobs = null;
        string? store = null;
        string[]? history = null;
        DateTimeOffset? added = null;
        while (JsonRead.NextMember(ref reader, out var name))
        {
            switch (name)
            {
                case "id": id = JsonRead.ImageId(ref reader); break;
                case "names": names = JsonRead.Texts(ref reader); break;
                case "layers": layers = JsonRead.LayerIds(ref reader); break;
                case "labels": labels = JsonRead.Pairs(ref reader); break;
                case "created": created = JsonRead.Time(ref reader); break;
                case "manifestDigest": manifest = JsonRead.DigestOrNull(ref reader); break;
                case "bigData": documents = BigDataJson.Read(ref reader); break;
                case "blobs": blobs = reader.TokenType == JsonTokenType.Null ? null : JsonRead.Digests(ref reader); break;
                case "additionalStore": store = JsonRead.TextOrNull(ref reader); break;
                case "namesHistory": history = JsonRead.TextsOrNull(ref reader); break;
                case "added": added = JsonRead.TimeOrNull(ref reader); break;
                default: JsonRead.Pass(ref reader); break;
            }
        }

        return new ImageRecord(
            id ?? throw JsonRead.Missing("id"), names ?? throw JsonRead.Missing("names"), layers ?? throw JsonRead.Missing("layers"), labels ?? throw JsonRead.Missing("labels"),
            created ?? throw JsonRead.Missing("created"), manifest, documents ?? throw JsonRead.Missing("bigData"), blobs, store,
            history, added);
    }
}
