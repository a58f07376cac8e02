using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace StorageActors.Containerd.Snapshots;

/// <summary>
/// What a snapshot's key is called in the store. A key is any text; the name of a layer has no spaces and an end, and is unique: so two calls that make the
/// same key meet in the catalog. Every endpoint has names of its own.
/// </summary>
/// <param name="endpoint">The endpoint.</param>
internal sealed class SnapshotNames(string endpoint)
{
    private const int LongestName = 512;
    private const int LongestLease = 255;

    /// <summary>The layer's name: the key with what may not be in a name as <c>%XX</c>; of a long one its digest, set off by another sign.</summary>
    internal string Of(string key)
    {
        var name = new StringBuilder(endpoint).Append(':');
        foreach (var rune in key.EnumerateRunes())
        {
            if (rune.Value == '%' || Rune.IsControl(rune) || Rune.IsWhiteSpace(rune)) Escape(name, rune);
            else name.Append(rune.ToString());
            if (name.Length > LongestName) return Digest(key);
        }

        return name.ToString();
    }

    /// <summary>The name of the lease that the client has on the layer: its name, for people who look for who holds it.</summary>
    internal string LeaseOf(string key)
    {
        var name = Of(key);
        return name.Length <= LongestLease ? name : Digest(key);
    }

    private string Digest(string key) => $"{endpoint}#{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)))}";

    private static void Escape(StringBuilder name, Rune rune)
    {
        Span<byte> bytes = stackalloc byte[4];
        foreach (var one in bytes[..rune.EncodeToUtf8(bytes)]) name.Append(CultureInfo.InvariantCulture, $"%{one:X2}");
    }
}
