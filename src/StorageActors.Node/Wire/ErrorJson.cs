using System.Text.Json;
using StorageActors.Protocol;
using StorageActors.Records;

namespace StorageActors.Node.Wire;

/// <summary>The body of a refusal, read by hand; see <see cref="ReplyJson"/>.</summary>
internal static class ErrorJson
{
    /// <summary>From behind its brace to its end.</summary>
    /// <exception cref="JsonException">It is something else.</exception>
    internal static WireError Read(ref Utf8JsonReader reader)
    {
        StorageError? error = null;
        while (JsonRead.NextMember(ref reader, out var name))
        {
            if (name == "error") error = Error(ref reader);
            else JsonRead.Pass(ref reader);
        }

        return new WireError(error ?? throw JsonRead.Missing("error"));
    }

    private static StorageError Error(ref Utf8JsonReader reader)
    {
        JsonRead.Begin(ref reader, JsonTokenType.StartObject);
        StorageErrorCode? code = null;
        string? operation = null, message = null, path = null, errno = null;
        StorageErrorReason? reason = null;
        LayerId? layer = null;
        ImageId? image = null;
        while (JsonRead.NextMember(ref reader, out var name))
        {
            switch (name)
            {
                case "code": code = (StorageErrorCode?)Word(typeof(StorageErrorCode), JsonRead.Text(ref reader)) ?? throw JsonRead.Wrong(ref reader, "the code of an error"); break;
                case "operation": operation = JsonRead.Text(ref reader); break;
                case "message": message = JsonRead.Text(ref reader); break;
                case "path": path = JsonRead.TextOrNull(ref reader); break;
                case "errno": errno = JsonRead.TextOrNull(ref reader); break;
                // Reasons may be added; who does not know one decides by the code.
                case "reason": reason = JsonRead.TextOrNull(ref reader) is { } word ? (StorageErrorReason?)Word(typeof(StorageErrorReason), word) : null; break;
                case "layer": layer = reader.TokenType == JsonTokenType.Null ? null : JsonRead.LayerId(ref reader); break;
                case "image": image = reader.TokenType == JsonTokenType.Null ? null : JsonRead.ImageId(ref reader); break;
                default: JsonRead.Pass(ref reader); break;
            }
        }

        return new StorageError(
            code ?? throw JsonRead.Missing("code"), operation ?? throw JsonRead.Missing("operation"), message ?? throw JsonRead.Missing("message"), path, errno, reason, layer, image);
    }

    /// <summary>The member of an enumeration that a word in camelCase names, if it names one.</summary>
    private static object? Word(Type type, string word) =>
        word is [>= 'a' and <= 'z', ..] && !word.Contains(',', StringComparison.Ordinal) && Enum.TryParse(type, word, ignoreCase: true, out var member) ? member : null;
}
