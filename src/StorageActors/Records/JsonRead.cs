using System.Text.Json;
using StorageActors.Protocol;

namespace StorageActors.Records;

/// <summary>
/// Values of JSON by hand, for the records that every start reads: the serializer's own way over their properties is generic code for each type of property, which
/// is compiled when a process first uses it, and that is most of what a short command would take. What is malformed is a <see cref="JsonException"/>, as it is there.
/// </summary>
internal static class JsonRead
{
    /// <summary>Reads what an object has, from behind its brace to its end.</summary>
    internal delegate T Members<T>(ref Utf8JsonReader reader) where T : class;

    /// <summary>A document that is one object, and nothing behind it.</summary>
    /// <exception cref="JsonException">It is something else.</exception>
    internal static T Document<T>(ReadOnlySpan<byte> json, Members<T> members) where T : class
    {
        var reader = new Utf8JsonReader(json);
        try
        {
            BeginDocument(ref reader);
            var read = members(ref reader);
            reader.Read(); // Nothing may follow; the reader itself refuses what does.
            return read;
        }
        catch (InvalidOperationException e)
        {
            throw new JsonException(e.Message, e); // A text that is no valid UTF-8.
        }
    }

    /// <summary>Goes to the next member of an object, and to its value; false at its end.</summary>
    internal static bool NextMember(ref Utf8JsonReader reader, out string name)
    {
        name = "";
        Expect(ref reader, reader.Read());
        if (reader.TokenType == JsonTokenType.EndObject) return false;
        name = reader.GetString()!;
        Expect(ref reader, reader.Read());
        return true;
    }

    /// <summary>The same without an object for the name: of a large store ten thousand records are read for one list.</summary>
    /// <param name="reader">Stands behind the brace, or behind a value.</param>
    /// <param name="name">Gets the name; nothing of one that is longer, which is none that this version knows.</param>
    /// <returns>The length of the name; -1 at the end.</returns>
    internal static int NextMember(ref Utf8JsonReader reader, scoped Span<char> name)
    {
        Expect(ref reader, reader.Read());
        if (reader.TokenType == JsonTokenType.EndObject) return -1;
        var bytes = reader.HasValueSequence ? reader.ValueSequence.Length : reader.ValueSpan.Length;
        var length = bytes <= name.Length ? reader.CopyString(name) : 0;
        Expect(ref reader, reader.Read());
        return length;
    }

    /// <summary>Goes to the first token of a document that is an object.</summary>
    internal static void BeginDocument(ref Utf8JsonReader reader)
    {
        Expect(ref reader, reader.Read());
        Begin(ref reader, JsonTokenType.StartObject);
    }

    internal static void Begin(ref Utf8JsonReader reader, JsonTokenType token)
    {
        if (reader.TokenType != token) throw Wrong(ref reader, token == JsonTokenType.StartObject ? "an object" : "a list");
    }

    internal static string Text(ref Utf8JsonReader reader) => reader.TokenType == JsonTokenType.String ? reader.GetString()! : throw Wrong(ref reader, "a text");

    internal static string? TextOrNull(ref Utf8JsonReader reader) => reader.TokenType == JsonTokenType.Null ? null : Text(ref reader);

    /// <summary>Not one method for all kinds of ids: that would be such generic code.</summary>
    internal static LayerId LayerId(ref Utf8JsonReader reader)
    {
        try { return Protocol.LayerId.Parse(Text(ref reader)); }
        catch (FormatException e) { throw new JsonException(e.Message, e); }
    }

    internal static ImageId ImageId(ref Utf8JsonReader reader)
    {
        try { return Protocol.ImageId.Parse(Text(ref reader)); }
        catch (FormatException e) { throw new JsonException(e.Message, e); }
    }

    internal static Digest Digest(ref Utf8JsonReader reader)
    {
        try { return Protocol.Digest.Parse(Text(ref reader)); }
        catch (FormatException e) { throw new JsonException(e.Message, e); }
    }

    internal static Digest? DigestOrNull(ref Utf8JsonReader reader) => reader.TokenType == JsonTokenType.Null ? null : Digest(ref reader);

    internal static long Number(ref Utf8JsonReader reader) =>
        reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var number) ? number : throw Wrong(ref reader, "a whole number");

    internal static long? NumberOrNull(ref Utf8JsonReader reader) => reader.TokenType == JsonTokenType.Null ? null : Number(ref reader);

    internal static DateTimeOffset Time(ref Utf8JsonReader reader) =>
        reader.TokenType == JsonTokenType.String && reader.TryGetDateTimeOffset(out var time) ? time : throw Wrong(ref reader, "a time");

    internal static DateTimeOffset? TimeOrNull(ref Utf8JsonReader reader) => reader.TokenType == JsonTokenType.Null ? null : Time(ref reader);

    internal static string[] Texts(ref Utf8JsonReader reader)
    {
        Begin(ref reader, JsonTokenType.StartArray);
        List<string>? texts = null; // Of most records these lists are empty.
        while (NextItem(ref reader)) (texts ??= []).Add(Text(ref reader));
        return texts is null ? [] : [.. texts];
    }

    internal static string[]? TextsOrNull(ref Utf8JsonReader reader) => reader.TokenType == JsonTokenType.Null ? null : Texts(ref reader);

    internal static LayerId[] LayerIds(ref Utf8JsonReader reader)
    {
        var texts = Texts(ref reader);
        var ids = new LayerId[texts.Length];
        try
        {
            for (var i = 0; i < ids.Length; i++) ids[i] = Protocol.LayerId.Parse(texts[i]);
        }
        catch (FormatException e)
        {
            throw new JsonException(e.Message, e);
        }

        return ids;
    }

    internal static Digest[] Digests(ref Utf8JsonReader reader)
    {
        var texts = Texts(ref reader);
        var digests = new Digest[texts.Length];
        try
        {
            for (var i = 0; i < digests.Length; i++) digests[i] = Protocol.Digest.Parse(texts[i]);
        }
        catch (FormatException e)
        {
            throw new JsonException(e.Message, e);
        }

        return digests;
    }

    internal static List<long> Numbers(ref Utf8JsonReader reader)
    {
        Begin(ref reader, JsonTokenType.StartArray);
        var numbers = new List<long>();
        while (NextItem(ref reader)) numbers.Add(Number(ref reader));
        return numbers;
    }

    internal static Dictionary<string, string> Pairs(ref Utf8JsonReader reader)
    {
        Begin(ref reader, JsonTokenType.StartObject);
        var pairs = new Dictionary<string, string>(StringComparer.Ordinal);
        while (NextMember(ref reader, out var key)) pairs[key] = Text(ref reader);
        return pairs;
    }

    /// <summary>Goes to the next item of a list; false at its end.</summary>
    internal static bool NextItem(ref Utf8JsonReader reader)
    {
        Expect(ref reader, reader.Read());
        return reader.TokenType != JsonTokenType.EndArray;
    }

    /// <summary>Passes over a value that this version does not know.</summary>
    internal static void Pass(ref Utf8JsonReader reader) => Expect(ref reader, reader.TrySkip());

    internal static JsonException Wrong(ref Utf8JsonReader reader, string needed) => new($"{needed} is needed, not a {reader.TokenType} that ends at byte {reader.BytesConsumed}");

    /// <summary>For what a document must have.</summary>
    internal static JsonException Missing(string name) => new($"\"{name}\" is missing");

    private static void Expect(ref Utf8JsonReader reader, bool isThere)
    {
        if (!isThere) throw new JsonException($"it ends at byte {reader.BytesConsumed}");
    }
}
