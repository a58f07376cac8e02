using System.Buffers;
using System.Text.Json;
using StorageActors.Records;

namespace StorageActors.Store;

/// <summary>The content of <c>owner.lock</c> by hand, since every command that owns a store writes it; see <see cref="JsonRead"/>.</summary>
internal static class StoreOwnerJson
{
    /// <summary>One object, indented; what is absent is left out.</summary>
    internal static byte[] Write(StoreOwner owner)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            writer.WriteStartObject();
            writer.WriteNumber("pid"u8, owner.Pid);
            JsonWrite.Number(writer, "startTime"u8, owner.StartTime);
            if (owner.Socket is { } socket) writer.WriteString("socket"u8, socket);
            if (owner.OwnJournal is { } own) writer.WriteBoolean("ownJournal"u8, own);
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>What <see cref="Write"/> wrote, also by a later version.</summary>
    /// <exception cref="JsonException">It is something else.</exception>
    internal static StoreOwner Read(ReadOnlySpan<byte> json) => JsonRead.Document(json, Read);

    private static StoreOwner Read(ref Utf8JsonReader reader)
    {
        int? pid = null;
        long? started = null;
        string? socket = null;
        bool? own = null;
        while (JsonRead.NextMember(ref reader, out var name))
        {
            switch (name)
            {
                case "pid": pid = reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out var read) ? read : throw JsonRead.Wrong(ref reader, "a whole number"); break;
                case "startTime": started = JsonRead.NumberOrNull(ref reader); break;
                case "socket": socket = JsonRead.TextOrNull(ref reader); break;
                case "ownJournal":
                    own = reader.TokenType switch
                    {
                        JsonTokenType.True => true,
                        JsonTokenType.False => false,
                        JsonTokenType.Null => null,
                        _ => throw JsonRead.Wrong(ref reader, "true or false"),
                    };
                    break;
                default: JsonRead.Pass(ref reader); break;
            }
        }

        return new StoreOwner(pid ?? throw JsonRead.Missing("pid"), started, socket, own);
    }
}
