using System.Text.Json;
using System.Text.Json.Serialization;

namespace StorageActors.Protocol.Identity;

/// <summary>
/// Writes a map with System.Text.Json as an object of two lists, <c>uidmap</c> and <c>gidmap</c>, whose lines are objects of <c>containerId</c>, <c>hostId</c> and
/// <c>size</c>. A list that is absent is empty.
/// </summary>
public sealed class IdMapJsonConverter : JsonConverter<IdMap>
{
    /// <inheritdoc/>
    public override IdMap Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.StartObject) throw new JsonException("a map of ids is an object of two lists, uidmap and gidmap");
        IReadOnlyList<IdRange> users = [], groups = [];
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString();
            reader.Read();
            if (name == "uidmap") users = ReadRanges(ref reader, isStrict: true);
            else if (name == "gidmap") groups = ReadRanges(ref reader, isStrict: true);
            else throw new JsonException($"a map of ids has no \"{IdText.Printable(name)}\"; uidmap and gidmap are its lists");
        }

        try { return new IdMap(users, groups); }
        catch (FormatException e) { throw new JsonException(e.Message, e); }
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, IdMap value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentNullException.ThrowIfNull(value);
        writer.WriteStartObject();
        WriteRanges(writer, "uidmap", value.Uidmap);
        WriteRanges(writer, "gidmap", value.Gidmap);
        writer.WriteEndObject();
    }

    /// <summary>Reads one list as a record has it, where members of later versions are passed over; the reader is at its first token.</summary>
    /// <param name="reader">The reader.</param>
    public static IReadOnlyList<IdRange> ReadRanges(ref Utf8JsonReader reader) => ReadRanges(ref reader, isStrict: false);

    /// <summary>Writes one list.</summary>
    /// <param name="writer">The writer.</param>
    /// <param name="name">What it is called.</param>
    /// <param name="ranges">Its lines.</param>
    public static void WriteRanges(Utf8JsonWriter writer, string name, IReadOnlyList<IdRange> ranges)
    {
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentNullException.ThrowIfNull(ranges);
        writer.WriteStartArray(name);
        foreach (var range in ranges)
        {
            writer.WriteStartObject();
            writer.WriteNumber("containerId"u8, range.ContainerId);
            writer.WriteNumber("hostId"u8, range.HostId);
            writer.WriteNumber("size"u8, range.Size);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static List<IdRange> ReadRanges(ref Utf8JsonReader reader, bool isStrict)
    {
        if (reader.TokenType != JsonTokenType.StartArray) throw Wrong();
        var ranges = new List<IdRange>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray) ranges.Add(ReadRange(ref reader, isStrict));
        return ranges;
    }

    private static IdRange ReadRange(ref Utf8JsonReader reader, bool isStrict)
    {
        if (reader.TokenType != JsonTokenType.StartObject) throw Wrong();
        uint? container = null, host = null, size = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString();
            reader.Read();
            if (name == "containerId") container = Number(ref reader);
            else if (name == "hostId") host = Number(ref reader);
            else if (name == "size") size = Number(ref reader);
            else if (isStrict || !reader.TrySkip()) throw Wrong();
        }

        return container is { } first && host is { } second && size is { } count ? new IdRange(first, second, count) : throw Wrong();
    }

    private static uint Number(ref Utf8JsonReader reader) =>
        reader.TokenType == JsonTokenType.Number && reader.TryGetUInt32(out var number) ? number : throw Wrong();

    private static JsonException Wrong() => new("a list of a map of ids has objects of containerId, hostId and size, which are numbers of 32 bits");
}
