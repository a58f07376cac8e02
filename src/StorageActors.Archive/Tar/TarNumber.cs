using System.Buffers.Text;

namespace StorageActors.Archive.Tar;

/// <summary>Numbers as header fields and PAX records write them.</summary>
internal static class TarNumber
{
    /// <summary>A header field: octal digits among spaces and NULs, or base-256 two's complement if the first byte has bit 7 set.
    /// An empty field is 0. False when it is neither or does not fit.</summary>
    internal static bool TryParseField(ReadOnlySpan<byte> field, out long value)
    {
        value = 0;
        if ((field[0] & 0x80) != 0) return TryParseBinary(field, out value);

        field = field.Trim(" \0"u8);
        // Digits end at the first NUL; some writers leave old bytes behind it.
        var end = field.IndexOf((byte)0);
        if (end >= 0) field = field[..end].TrimEnd((byte)' ');
        foreach (var digit in field)
        {
            if (digit is < (byte)'0' or > (byte)'7' || value > long.MaxValue >> 3) return false;
            value = (value << 3) | (uint)(digit - '0');
        }

        return true;
    }

    private static bool TryParseBinary(ReadOnlySpan<byte> field, out long value)
    {
        // Bit 6 of the first byte is the sign; all bytes above the low eight must repeat it.
        var sign = (field[0] & 0x40) != 0 ? (byte)0xff : (byte)0;
        value = (sbyte)sign;
        for (var i = 0; i < field.Length; i++)
        {
            var digit = i == 0 ? (byte)((field[0] & 0x7f) | (sign & 0x80)) : field[i];
            if ((value >> 55) != (sbyte)sign) return false;
            value = (value << 8) | digit;
        }

        return true;
    }

    /// <summary>A decimal number without sign or blanks, as PAX sizes and sparse maps have it.</summary>
    internal static bool TryParseDecimal(ReadOnlySpan<byte> text, out long value) =>
        Utf8Parser.TryParse(text, out value, out var used) && used == text.Length && value >= 0 && text[0] != (byte)'+';

    /// <summary>A PAX time: decimal seconds, possibly negative, possibly with a fraction of which nine digits count.</summary>
    internal static bool TryParseTime(ReadOnlySpan<byte> text, out TarTime time)
    {
        time = default;
        var negative = text.Length > 0 && text[0] == (byte)'-';
        if (negative) text = text[1..];
        var dot = text.IndexOf((byte)'.');
        var whole = dot < 0 ? text : text[..dot];
        var fraction = dot < 0 ? default : text[(dot + 1)..];
        if (!TryParseDecimal(whole, out var seconds) || fraction.IndexOfAnyExceptInRange((byte)'0', (byte)'9') >= 0) return false;

        var nanoseconds = 0;
        for (var i = 0; i < 9; i++)
            nanoseconds = (nanoseconds * 10) + (i < fraction.Length ? fraction[i] - '0' : 0);
        time = (negative, nanoseconds) switch
        {
            (false, _) => new TarTime(seconds, nanoseconds),
            (true, 0) => new TarTime(-seconds),
            (true, _) => new TarTime(-seconds - 1, 1_000_000_000 - nanoseconds),
        };
        return true;
    }
}
