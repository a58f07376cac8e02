using System.Text.Json;
using System.Text.Json.Serialization;
using StorageActors.Protocol;
using StorageActors.Protocol.Identity;

namespace StorageActors.Records;

/// <summary>A layer's record as JSON by hand, byte for byte as the serializer's own way has it; see <see cref="JsonRead"/>.</summary>
internal sealed class LayerRecordJson : JsonConverter<LayerRecord>
{
    /// <summary>No member that this version knows has a longer name, even if each of its letters is written as an escape.</summary>
    private const int LongestName = 128;

    /// <inheritdoc/>
    public override LayerRecord Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Read(ref reader);

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, LayerRecord value, JsonSerializerOptions options) => Write(writer, value);

    internal static void Write(Utf8JsonWriter writer, LayerRecord value) => Write(writer, value, isRest: false);

    /// <summary>A record without what stands beside it (<see cref="RecordLead"/>), and without names and labels where it has none.</summary>
    internal static void WriteRest(Utf8JsonWriter writer, LayerRecord value) => Write(writer, value, isRest: true);

    /// <summary>The record that begins where the reader is.</summary>
    /// <exception cref="JsonException">There is none, or something that it must have is missing or malformed.</exception>
    internal static LayerRecord Read(ref Utf8JsonReader reader) => Read(ref reader, lead: null);

    /// <summary>What <see cref="WriteRest"/> wrote, now or in an earlier version, and nothing behind it.</summary>
    /// <param name="json">That.</param>
    /// <param name="lead">What stands beside it.</param>
    /// <exception cref="JsonException">It is something else.</exception>
    internal static LayerRecord ReadRest(ReadOnlySpan<byte> json, RecordLead lead) => JsonRead.Document(json, (ref Utf8JsonReader reader) => Read(ref reader, lead));

    private static void Write(Utf8JsonWriter writer, LayerRecord value, bool isRest)
    {
        writer.WriteStartObject();
        if (!isRest) writer.WriteString("id"u8, value.Id.Value);
        if (!isRest && value.Parent is { } parent) writer.WriteString("parent"u8, parent.Value);
        if (!isRest) writer.WriteString("kind"u8, Name(value.Kind));
        if (!isRest || value.Names.Count > 0) JsonWrite.Texts(writer, "names"u8, value.Names);
        if (!isRest || value.Labels.Count > 0) JsonWrite.Pairs(writer, "labels"u8, value.Labels);
        if (!isRest || !RecordLead.Has(value.Created)) writer.WriteString("created"u8, value.Created);
        if (!isRest) JsonWrite.Digest(writer, "diffId"u8, value.DiffId);
        if (!isRest) JsonWrite.Digest(writer, "chainId"u8, value.ChainId);
        if (!isRest) JsonWrite.Digest(writer, "blobDigest"u8, value.BlobDigest);
        JsonWrite.Number(writer, "blobSize"u8, value.BlobSize);
        if (value.Compression is { } compression) writer.WriteString("compression"u8, Name(compression));
        JsonWrite.Number(writer, "size"u8, value.Size);
        JsonWrite.Number(writer, "entries"u8, value.Entries);
        JsonWrite.Numbers(writer, "uids"u8, value.Uids);
        JsonWrite.Numbers(writer, "gids"u8, value.Gids);
        if (value.Warnings is { } warnings) JsonWrite.Texts(writer, "warnings"u8, warnings);
        if (value.Damage is { } damage) writer.WriteString("damage"u8, damage);
        if (value.AdditionalStore is { } store) writer.WriteString("additionalStore"u8, store);
        if (value.BigData is { } documents) BigDataJson.Write(writer, documents);
        if (value.Uidmap is { } users) IdMapJsonConverter.WriteRanges(writer, "uidmap", users);
        if (value.Gidmap is { } groups) IdMapJsonConverter.WriteRanges(writer, "gidmap", groups);
        writer.WriteEndObject();
    }

    /// <param name="reader">Stands where it begins.</param>
    /// <param name="lead">What leads to it, where that stands beside it: then names and labels may be left out, too.</param>
    private static LayerRecord Read(ref Utf8JsonReader reader, RecordLead? lead)
    {
        JsonRead.Begin(ref reader, JsonTokenType.StartObject);
        var (names, labels) = lead is null ? default : (Array.Empty<string>(), new Dictionary<string, string>(StringComparer.Ordinal));
        var (uids, gids, warnings) = (default(List<long>), default(List<long>), default(string[]));
        string? damage = null, store = null;
        LayerId? id = lead?.Id, parent = lead?.Parent;
        var (kind, created) = (lead?.Kind, lead?.Created);
        var (diff, chain, blob) = (lead?.DiffId, lead?.ChainId, lead?.BlobDigest);
        long? blobSize = null, size = null, entries = null;
        LayerCompression? compression = null;
        List<BigDataItem>? documents = null;
        IReadOnlyList<IdRange>? users = null, groups = null;
        var isBeside = kind is not null; // Not in a row of an earlier version, nor where the JSON is all.
        Span<char> name = stackalloc char[LongestName];
        for (int length; (length = JsonRead.NextMember(ref reader, name)) >= 0;)
        {
            switch (name[..length])
            {
                case "id" when lead is null: id = JsonRead.LayerId(ref reader); break;
                case "parent" when lead is null: parent = reader.TokenType == JsonTokenType.Null ? null : JsonRead.LayerId(ref reader); break;
                case "kind" when !isBeside: kind = KindOf(ref reader); break;
                case "names": names = JsonRead.Texts(ref reader); break;
                case "labels": labels = JsonRead.Pairs(ref reader); break;
                case "created" when lead?.Created is null: created = JsonRead.Time(ref reader); break;
                case "diffId" when !isBeside: diff = JsonRead.DigestOrNull(ref reader); break;
                case "chainId" when lead is null: chain = JsonRead.DigestOrNull(ref reader); break;
                case "blobDigest" when !isBeside: blob = JsonRead.DigestOrNull(ref reader); break;
                case "blobSize": blobSize = JsonRead.NumberOrNull(ref reader); break;
                case "compression": compression = reader.TokenType == JsonTokenType.Null ? null : CompressionOf(ref reader); break;
                case "size": size = JsonRead.NumberOrNull(ref reader); break;
                case "entries": entries = JsonRead.NumberOrNull(ref reader); break;
                case "uids": uids = reader.TokenType == JsonTokenType.Null ? null : JsonRead.Numbers(ref reader); break;
                case "gids": gids = reader.TokenType == JsonTokenType.Null ? null : JsonRead.Numbers(ref reader); break;
                case "warnings": warnings = reader.TokenType == JsonTokenType.Null ? null : JsonRead.Texts(ref reader); break;
                case "damage": damage = JsonRead.TextOrNull(ref reader); break;
                case "additionalStore": store = JsonRead.TextOrNull(ref reader); break;
                case "bigData": documents = reader.TokenType == JsonTokenType.Null ? null : BigDataJson.Read(ref reader); break;
                case "uidmap": users = RangesOf(ref reader); break;
                case "gidmap": groups = RangesOf(ref reader); break;
                default: JsonRead.Pass(ref reader); break;
            }
        }

        CheckIds(users, groups);
        return new LayerRecord(
            id ?? throw JsonRead.Missing("id"), parent, kind ?? throw JsonRead.Missing("kind"), names ?? throw JsonRead.Missing("names"), labels ?? throw JsonRead.Missing("labels"),
            created ?? throw JsonRead.Missing("created"), diff, chain, blob, blobSize, compression, size, entries, uids, gids, warnings, damage, store,
            documents, users, groups);
    }

    private static IReadOnlyList<IdRange>? RangesOf(ref Utf8JsonReader reader) =>
        reader.TokenType == JsonTokenType.Null ? null : IdMapJsonConverter.ReadRanges(ref reader);

    /// <summary>A map that is none would show somebody the files of somebody else.</summary>
    private static void CheckIds(IReadOnlyList<IdRange>? users, IReadOnlyList<IdRange>? groups)
    {
        if (users is null && groups is null) return;
        try { _ = new IdMap(users ?? [], groups ?? []); }
        catch (FormatException e) { throw new JsonException(e.Message, e); }
    }

    private static LayerKind KindOf(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.String && reader.ValueTextEquals("sealed"u8)) return LayerKind.Sealed; // As they are written.
        if (reader.TokenType == JsonTokenType.String && reader.ValueTextEquals("writable"u8)) return LayerKind.Writable;
        return JsonRead.Text(ref reader) switch
        {
            var text when Is(text, "sealed") => LayerKind.Sealed,
            var text when Is(text, "writable") => LayerKind.Writable,
            _ => throw JsonRead.Wrong(ref reader, "sealed or writable"),
        };
    }

    private static LayerCompression CompressionOf(ref Utf8JsonReader reader) => JsonRead.Text(ref reader) switch
    {
        var text when Is(text, "none") => LayerCompression.None,
        var text when Is(text, "gzip") => LayerCompression.Gzip,
        var text when Is(text, "zstd") => LayerCompression.Zstd,
        var text when Is(text, "xz") => LayerCompression.Xz,
        var text when Is(text, "bzip2") => LayerCompression.Bzip2,
        _ => throw JsonRead.Wrong(ref reader, "the name of a compression"),
    };

    private static string Name(LayerKind kind) => kind switch
    {
        LayerKind.Sealed => "sealed",
        LayerKind.Writable => "writable",
        _ => throw new JsonException($"there is no layer of kind {(int)kind}"),
    };

    private static string Name(LayerCompression compression) => compression switch
    {
        LayerCompression.None => "none",
        LayerCompression.Gzip => "gzip",
        LayerCompression.Zstd => "zstd",
        LayerCompression.Xz => "xz",
        LayerCompression.Bzip2 => "bzip2",
        _ => throw new JsonException($"there is no compression {(int)compression}"),
    };

    private static bool Is(string text, string name) => string.Equals(text, name, StringComparison.OrdinalIgnoreCase);
}
