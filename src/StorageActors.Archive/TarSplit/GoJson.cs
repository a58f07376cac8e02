using System.Buffers;
using StorageActors.Archive.Tar;

namespace StorageActors.Archive.TarSplit;

/// <summary>String escapes as Go's <c>encoding/json</c> writes them.</summary>
internal static class GoJson
{
    private static readonly SearchValues<byte> Special = SearchValues.Create(
        [.. Enumerable.Range(0, 0x20).Select(value => (byte)value), (byte)'"', (byte)'\\', (byte)'<', (byte)'>', (byte)'&', 0xe2]);

    /// <summary>Appends valid UTF-8 as the inside of a JSON string.</summary>
    internal static void AppendEscaped(ByteBuffer target, ReadOnlySpan<byte> text)
    {
        while (true)
        {
            var plain = text.IndexOfAny(Special);
            if (plain < 0)
            {
                target.Append(text);
                return;
            }

            target.Append(text[..plain]);
            text = text[plain..];
            text = text[AppendSpecial(target, text)..];
        }
    }

    /// <summary>Appends the first character, escaped if it must be, and returns its length.</summary>
    private static int AppendSpecial(ByteBuffer target, ReadOnlySpan<byte> text)
    {
        switch (text[0])
        {
            case (byte)'"': target.Append("\\\""u8); return 1;
            case (byte)'\\': target.Append("\\\\"u8); return 1;
            case (byte)'\b': target.Append("\\b"u8); return 1;
            case (byte)'\f': target.Append("\\f"u8); return 1;
            case (byte)'\n': target.Append("\\n"u8); return 1;
            case (byte)'\r': target.Append("\\r"u8); return 1;
            case (byte)'\t': target.Append("\\t"u8); return 1;
            case 0xe2 when text.StartsWith("\u2028"u8): target.Append("\\u2028"u8); return 3;
            case 0xe2 when text.StartsWith("\u2029"u8): target.Append("\\u2029"u8); return 3;
            case 0xe2: target.Append((byte)0xe2); return 1;
            default:
                target.Append("\\u00"u8);
                target.Append(HexDigit(text[0] >> 4));
                target.Append(HexDigit(text[0] & 15));
                return 1;
        }
    }

    private static byte HexDigit(int value) => "0123456789abcdef"u8[value];
}
