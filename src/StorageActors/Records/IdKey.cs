using System.Buffers;
using System.Text;

namespace StorageActors.Records;

/// <summary>
/// A layer's id as bytes that stand for no other one, also on disk: an id of 64 hexadecimal digits, as nearly all are, as a 0 and the 32 bytes that they are; any other as its length and its characters.
/// </summary>
internal static class IdKey
{
    /// <summary>The most bytes that one takes.</summary>
    internal const int Longest = 1 + LongestId;

    /// <summary>The fewest.</summary>
    internal const int Least = 1 + ShortestId;

    private const int ShortestId = 2;
    private const int LongestId = 128;
    private const int DigestSize = 32;
    private const int DigestLength = 2 * DigestSize;

    private static readonly SearchValues<byte> OfId = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"u8);

    /// <summary>Whether a name is a layer's id, as <see cref="Protocol.LayerId.Parse"/> has it.</summary>
    internal static bool IsId(ReadOnlySpan<byte> name) => name.Length is >= ShortestId and <= LongestId && name[0] is not ((byte)'.' or (byte)'-') && !name.ContainsAnyExcept(OfId);

    internal static byte[] Of(string id)
    {
        Span<byte> key = stackalloc byte[Longest];
        return TryWrite(id, key, out var length) ? key[..length].ToArray() : throw new ArgumentException($"\"{id}\" is no layer's id", nameof(id));
    }

    /// <returns>False: the text is too long for an id, or empty.</returns>
    internal static bool TryWrite(string id, Span<byte> key, out int length)
    {
        length = 1 + DigestSize;
        if (id.Length == DigestLength && !id.AsSpan().ContainsAnyExcept("0123456789abcdef"))
        {
            key[0] = 0;
            return Convert.FromHexString(id, key[1..], out _, out _) == OperationStatus.Done;
        }

        if (id.Length == 0 || !Encoding.UTF8.TryGetBytes(id, key.Slice(1, LongestId), out var characters)) return false;
        (key[0], length) = ((byte)characters, 1 + characters);
        return true;
    }

    /// <summary>The id, of a key that is one.</summary>
    internal static string Read(ReadOnlySpan<byte> key) => key[0] == 0 ? Convert.ToHexStringLower(key[1..]) : Encoding.UTF8.GetString(key[1..]);

    /// <summary>How long the key is that these bytes begin with, if they do.</summary>
    internal static int LengthAt(ReadOnlySpan<byte> bytes) => 1 + (bytes[0] == 0 ? DigestSize : bytes[0]);

    /// <summary>Whether bytes of the length of a key are one: each id has one alone.</summary>
    internal static bool IsKey(ReadOnlySpan<byte> key) => key[0] == 0 || (IsId(key[1..]) && (key[0] != DigestLength || key[1..].ContainsAnyExcept("0123456789abcdef"u8)));
}
