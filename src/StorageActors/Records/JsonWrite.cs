using System.Text.Json;
using StorageActors.Protocol;

namespace StorageActors.Records;

/// <summary>Members of JSON by hand; what is absent is left out. See <see cref="JsonRead"/>.</summary>
internal static class JsonWrite
{
    internal static void Digest(Utf8JsonWriter writer, ReadOnlySpan<byte> name, Digest? value)
    {
        if (value is { } digest) writer.WriteString(name, digest.Value);
    }

    internal static void Number(Utf8JsonWriter writer, ReadOnlySpan<byte> name, long? value)
    {
        if (value is { } number) writer.WriteNumber(name, number);
    }

    internal static void Numbers(Utf8JsonWriter writer, ReadOnlySpan<byte> name, IReadOnlyList<long>? values)
    {
        if (values is null) return;
        writer.WriteStartArray(name);
        for (var i = 0; i < values.Count; i++) writer.WriteNumberValue(values[i]);
        writer.WriteEndArray();
    }

    internal static void Texts(Utf8JsonWriter writer, ReadOnlySpan<byte> name, IReadOnlyList<string> values)
    {
        writer.WriteStartArray(name);
        foreach (var value in values) writer.WriteStringValue(value);
        writer.WriteEndArray();
    }

    internal static void Pairs(Utf8JsonWriter writer, ReadOnlySpan<byte> name, IReadOnlyDictionary<string, string> values)
    {
        writer.WriteStartObject(name);
        foreach (var (key, value) in values) writer.WriteString(key, value);
        writer.WriteEndObject();
    }
}
