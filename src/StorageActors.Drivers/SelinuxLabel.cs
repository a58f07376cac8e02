using System.Text;

namespace StorageActors.Drivers;

/// <summary>
/// A label as SELinux writes it, <c>user:role:type:level</c>. What layers share has the level <c>s0</c>, which every container may read, whatever level a container itself
/// runs at; a policy without levels has none in its labels.
/// </summary>
/// <param name="Text">The label that the root of a layer gets.</param>
internal sealed record SelinuxLabel(string Text)
{
    /// <summary>The longest that is taken: a mount has its label in a text of 255 bytes.</summary>
    private const int Longest = 254;

    /// <summary>The attribute that holds it.</summary>
    internal static ReadOnlySpan<byte> Attribute => "security.selinux"u8;

    /// <summary>The label as a kernel takes it.</summary>
    internal byte[] ToBytes() => Encoding.ASCII.GetBytes(Text);

    /// <summary>Reads a label; null for a text that is none.</summary>
    internal static SelinuxLabel? TryParse(string text)
    {
        if (text.Length > Longest) return null;
        var parts = text.Split(':', 4);
        if (parts.Length < 3 || !parts.Take(3).All(static part => IsWord(part, "_.-")) || (parts.Length == 4 && !IsWord(parts[3], "_.-:,"))) return null;
        return new SelinuxLabel(string.Join(':', parts.Length == 4 ? [.. parts[..3], "s0"] : parts));
    }

    private static bool IsWord(string text, string marks) =>
        text.Length > 0 && text.All(c => char.IsAsciiLetterOrDigit(c) || marks.Contains(c, StringComparison.Ordinal));
}
