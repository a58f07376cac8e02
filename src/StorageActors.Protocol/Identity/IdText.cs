using System.Buffers;
using System.Security.Cryptography;

namespace StorageActors.Protocol.Identity;

/// <summary>The rules that ids share.</summary>
internal static class IdText
{
    private static readonly SearchValues<char> OfFileName = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    internal static bool IsFileName(string? text, int minimum, int maximum)
    {
        if (text is null || text.Length < minimum || text.Length > maximum || text[0] is '.' or '-') return false;
        return !text.AsSpan().ContainsAnyExcept(OfFileName);
    }

    internal static bool IsHex(ReadOnlySpan<char> text) => text.IndexOfAnyExcept("0123456789abcdef") < 0;

    internal static string RandomHex()
    {
        string text;
        do
        {
            text = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        }
        while (text.AsSpan(0, 12).IndexOfAnyExceptInRange('0', '9') < 0);
        return text;
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
