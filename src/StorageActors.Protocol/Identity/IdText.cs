using System.Buffers;
using System.Security.Cryptography;

namespace StorageActors.Protocol.Identity;

/// <summary>The rules that ids share.</summary>
internal static class IdText
{
    /// <summary>So many random bytes are fetched at a time: a few take as long as many.</summary>
    private const int Stock = 1024;

    private static readonly SearchValues<char> OfFileName = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    [ThreadStatic]
    private static byte[]? _stock;

    /// <summary>How many bytes of the stock were not used yet.</summary>
    [ThreadStatic]
    private static int _left;

    internal static bool IsFileName(string? text, int minimum, int maximum)
    {
        if (text is null || text.Length < minimum || text.Length > maximum || text[0] is '.' or '-') return false;
        return !text.AsSpan().ContainsAnyExcept(OfFileName);
    }

    internal static bool IsHex(ReadOnlySpan<char> text) => text.IndexOfAnyExcept("0123456789abcdef") < 0;

    /// <summary>Random digits, of which the first twelve never look like a number.</summary>
    /// <param name="length">How many: an even number from 12 to 64.</param>
    internal static string RandomHex(int length)
    {
        string text;
        do
        {
            text = Convert.ToHexStringLower(RandomBytes(length / 2));
        }
        while (text.AsSpan(0, 12).IndexOfAnyExceptInRange('0', '9') < 0);
        return text;
    }

    /// <summary>To be read before the next ones are asked for on this thread.</summary>
    private static ReadOnlySpan<byte> RandomBytes(int count)
    {
        var stock = _stock ??= new byte[Stock];
        if (_left < count)
        {
            RandomNumberGenerator.Fill(stock);
            _left = Stock;
        }

        _left -= count;
        return stock.AsSpan(_left, count);
    }

    /// <summary>For messages: at most 80 characters, control characters replaced.</summary>
    internal static string Printable(string? text)
    {
        if (text is null) return "";
        var shown = text.Length <= 80 ? text : string.Concat(text.AsSpan(0, 77), "...");
        return string.Create(shown.Length, shown, static (span, s) =>
        {
            for (var i = 0; i < span.Length; i++) span[i] = char.IsControl(s[i]) ? '?' : s[i];
        });
    }
}
