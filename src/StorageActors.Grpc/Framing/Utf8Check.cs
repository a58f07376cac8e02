using System.Text.Unicode;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace StorageActors.Grpc.Framing;

/// <summary>
/// Whether the texts of a message are UTF-8. The parser takes any bytes and puts a replacement character for those that are none, so two different keys would
/// become the same one.
/// </summary>
internal static class Utf8Check
{
    /// <summary>The name of the first field whose text is no UTF-8; null when all are.</summary>
    /// <param name="type">The message's type.</param>
    /// <param name="message">Its bytes.</param>
    /// <exception cref="InvalidProtocolBufferException">The bytes are no message.</exception>
    internal static string? FindFault(MessageDescriptor type, ReadOnlyMemory<byte> message)
    {
        using var input = new CodedInputStream(message.ToArray());
        for (uint tag; (tag = input.ReadTag()) != 0;)
        {
            var field = type.FindFieldByNumber(WireFormat.GetTagFieldNumber(tag));
            if (WireFormat.GetTagWireType(tag) != WireFormat.WireType.LengthDelimited || field?.FieldType is not (FieldType.String or FieldType.Message))
            {
                input.SkipLastField();
                continue;
            }

            var bytes = input.ReadBytes();
            if (field.FieldType == FieldType.String)
            {
                if (!Utf8.IsValid(bytes.Span)) return field.FullName;
            }
            else if (FindFault(field.MessageType, bytes.Memory) is { } inner)
            {
                return inner;
            }
        }

        return null;
    }
}
