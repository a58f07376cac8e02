using System.Text.Json;
using StorageActors.Records;

namespace StorageActors.Store;

/// <summary>Reads <c>format.json</c> by hand, as <see cref="StoreJson"/> has it; see <see cref="JsonRead"/>.</summary>
internal static class StoreFormatJson
{
    /// <summary>The one object of the file.</summary>
    /// <exception cref="JsonException">It is something else.</exception>
    internal static StoreFormat Read(ReadOnlySpan<byte> json) => JsonRead.Document(json, Read);

    private static StoreFormat Read(ref Utf8JsonReader reader)
    {
        int? number = null;
        string? store = null, driver = null;
        StoreFeatures? features = null;
        while (JsonRead.NextMember(ref reader, out var name))
        {
            switch (name)
            {
                case "format": number = reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out var read) ? read : throw JsonRead.Wrong(ref reader, "a whole number"); break;
                case "storeId": store = JsonRead.Text(ref reader); break;
                case "driver": driver = JsonRead.Text(ref reader); break;
                case "features": features = Features(ref reader); break;
                default: JsonRead.Pass(ref reader); break;
            }
        }

        return new StoreFormat(
            number ?? throw JsonRead.Missing("format"), store ?? throw JsonRead.Missing("storeId"), driver ?? throw JsonRead.Missing("driver"),
            features ?? throw JsonRead.Missing("features"));
    }

    private static StoreFeatures Features(ref Utf8JsonReader reader)
    {
        JsonRead.Begin(ref reader, JsonTokenType.StartObject);
        string[]? compatible = null, readOnly = null, incompatible = null;
        while (JsonRead.NextMember(ref reader, out var name))
        {
            switch (name)
            {
                case "compatible": compatible = JsonRead.Texts(ref reader); break;
                case "readOnly": readOnly = JsonRead.Texts(ref reader); break;
                case "incompatible": incompatible = JsonRead.Texts(ref reader); break;
                default: JsonRead.Pass(ref reader); break;
            }
        }

        return new StoreFeatures(
            compatible ?? throw JsonRead.Missing("compatible"), readOnly ?? throw JsonRead.Missing("readOnly"), incompatible ?? throw JsonRead.Missing("incompatible"));
    }
}
