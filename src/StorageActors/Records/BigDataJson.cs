using System.Text.Json;
using StorageActors.Protocol;

namespace StorageActors.Records;

/// <summary>The list of documents that a record has; see <see cref="JsonRead"/>.</summary>
internal static class BigDataJson
{
    internal static void Write(Utf8JsonWriter writer, IReadOnlyList<BigDataItem> items)
    {
        writer.WriteStartArray("bigData"u8);
        foreach (var item in items)
        {
            writer.WriteStartObject();
            writer.WriteString("key"u8, item.Key);
            writer.WriteNumber("size"u8, item.Size);
            JsonWrite.Digest(writer, "digest"u8, item.Digest);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    internal static List<BigDataItem> Read(ref Utf8JsonReader reader)
    {
        JsonRead.Begin(ref reader, JsonTokenType.StartArray);
        var documents = new List<BigDataItem>();
        while (JsonRead.NextItem(ref reader)) documents.Add(Document(ref reader));
        return documents;
    }

    private static BigDataItem Document(ref Utf8JsonReader reader)
    {
        JsonRead.Begin(ref reader, JsonTokenType.StartObject);
        string? key = null;
        long? size = null;
        Digest? digest = null;
        while (JsonRead.NextMember(ref reader, out var name))
        {
            switch (name)
            {
                case "key": key = JsonRead.Text(ref reader); break;
                case "size": size = JsonRead.Number(ref reader); break;
                case "digest": digest = JsonRead.Digest(ref reader); break;
                default: JsonRead.Pass(ref reader); break;
            }
        }

        return new BigDataItem(key ?? throw JsonRead.Missing("key"), size ?? throw JsonRead.Missing("size"), digest ?? throw JsonRead.Missing("digest"));
    }
}
