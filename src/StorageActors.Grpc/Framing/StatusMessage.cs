using System.Globalization;
using System.Text;

namespace StorageActors.Grpc.Framing;

/// <summary>The text of a status as a header carries it: printable ASCII as it is, all else, and the percent sign, as <c>%XX</c> of its UTF-8 bytes.</summary>
public static class StatusMessage
{
    /// <summary>Longer ones are cut; callers bound the headers they take.</summary>
    private const int Longest = 4096;

    /// <summary>Encodes a text, cut between characters when it is very long.</summary>
    /// <param name="text">Any text.</param>
    public static string Encode(string text)
    {
        var encoded = new StringBuilder(text.Length);
        Span<byte> bytes = stackalloc byte[4];
        foreach (var rune in text.EnumerateRunes())
        {
            if (encoded.Length > Longest) break;
            if (rune.Value is >= 0x20 and <= 0x7E and not '%')
            {
                encoded.Append((char)rune.Value);
                continue;
            }

            foreach (var one in bytes[..rune.EncodeToUtf8(bytes)]) encoded.Append(CultureInfo.InvariantCulture, $"%{one:X2}");
        }

        return encoded.ToString();
    }

    /// <summary>Decodes a text; what is no escape stays as it is, as the specification asks of receivers.</summary>
    /// <param name="text">As a header had it.</param>
    public static string Decode(string text)
    {
        var bytes = new List<byte>(text.Length);
        for (var index = 0; index < text.Length; index++)
        {
            if (text[index] == '%' && byte.TryParse(text.AsSpan(index + 1, Math.Min(2, text.Length - index - 1)), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var one) && index + 2 < text.Length)
            {
                bytes.Add(one);
                index += 2;
            }
            else
            {
                bytes.AddRange(Encoding.UTF8.GetBytes(text, index, 1));
            }
        }

        return Encoding.UTF8.GetString([.. bytes]);
    }
}
