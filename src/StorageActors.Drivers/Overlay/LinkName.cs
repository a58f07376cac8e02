using System.Security.Cryptography;

namespace StorageActors.Drivers.Overlay;

/// <summary>
/// The short name of a layer, 26 letters of base 32 as the peers make them: <c>l/&lt;name&gt;</c> links to the layer's content, so that a string of
/// many layers stays short.
/// </summary>
internal static class LinkName
{
    internal const int Length = 26;
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    internal static string New() => RandomNumberGenerator.GetString(Alphabet, Length);

    internal static bool IsValid(ReadOnlySpan<char> text) => text.Length == Length && text.IndexOfAnyExcept(Alphabet) < 0;
}
