using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace StorageActors.Node.Wire;

/// <summary>Messages to JSON and back: those of short verbs by hand (<see cref="CommandJson"/>, <see cref="ReplyJson"/>), all others by the serializer.</summary>
public static class WireJson
{
    /// <summary>How a client reads and writes; for documents that have records of the protocol inside.</summary>
    public static JsonSerializerOptions ClientOptions => Rules.Tolerant;

    /// <summary>Writes a message, as the type that it is.</summary>
    /// <param name="message">One of the types that <see cref="WireJsonContext"/> lists.</param>
    public static byte[] Write(object message) =>
        CommandJson.TryWrite(message) ?? JsonSerializer.SerializeToUtf8Bytes(message, Rules.Tolerant.GetTypeInfo(message.GetType()));

    /// <summary>Reads an answer; unknown keys are passed over.</summary>
    /// <typeparam name="T">What it is documented to be.</typeparam>
    /// <param name="json">One document.</param>
    /// <exception cref="JsonException">It is something else.</exception>
    public static T Read<T>(ReadOnlySpan<byte> json) => (T)(ReplyJson.TryRead(typeof(T), json) ?? JsonSerializer.Deserialize(json, Rules.Tolerant.GetTypeInfo(typeof(T)))
        ?? throw new JsonException($"null is no {typeof(T).Name}"));

    /// <summary>Reads a command; unknown keys are refused.</summary>
    /// <param name="body">One document, to the end of the stream.</param>
    /// <param name="type">The command's type.</param>
    /// <param name="stop">Gives up reading.</param>
    /// <exception cref="JsonException">It is something else; the message says where.</exception>
    public static async ValueTask<object> ReadCommandAsync(Stream body, Type type, CancellationToken stop) =>
        await JsonSerializer.DeserializeAsync(body, Rules.Strict.GetTypeInfo(type), stop) ?? throw new JsonException($"null is no {type.Name}");

    private static JsonSerializerOptions Options(JsonUnmappedMemberHandling unknownKeys) => new(WireJsonContext.Default.Options)
    {
        UnmappedMemberHandling = unknownKeys,
        RespectNullableAnnotations = true,
        // The text stands in sockets and terminals, never in HTML.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        TypeInfoResolver = WireJsonContext.Default.WithAddedModifier(RequireWhatCannotBeAbsent),
    };

    /// <summary>
    /// A key may be missing where its value may be null or has a default, and nowhere else. The serializer's own rule for constructor
    /// parameters would demand the nullable ones, too, which are left out when they are null.
    /// </summary>
    private static void RequireWhatCannotBeAbsent(JsonTypeInfo type)
    {
        foreach (var property in type.Properties)
        {
            if (property.AssociatedParameter is { HasDefaultValue: false, IsNullable: false }) property.IsRequired = true;
        }
    }

    /// <summary>The serializer's rules, which a process that needs none of them does not make.</summary>
    private static class Rules
    {
        /// <summary>What a node reads: an unknown key is an error, as a mistyped limit that is ignored does harm.</summary>
        internal static readonly JsonSerializerOptions Strict = Options(JsonUnmappedMemberHandling.Disallow);

        /// <summary>What a client reads: keys that a newer node adds are passed over.</summary>
        internal static readonly JsonSerializerOptions Tolerant = Options(JsonUnmappedMemberHandling.Skip);
    }
}
