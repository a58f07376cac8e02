using System.Buffers.Binary;
using System.Security.Cryptography;

namespace StorageActors.Archive.TarSplit;

/// <summary>Spreads hashes of names by numbers that only this process knows. A CRC is easily aimed: names chosen to meet in one bucket
/// would make each addition to a set a search through all of them.</summary>
internal sealed class NameHashComparer : IEqualityComparer<ulong>
{
    private static readonly ulong Offset = Random();
    private static readonly ulong Factor = Random() | 1;

    /// <inheritdoc/>
    public bool Equals(ulong x, ulong y) => x == y;

    /// <inheritdoc/>
    public int GetHashCode(ulong value)
    {
        var folded = Math.BigMul(value ^ Offset, Factor, out var low) ^ low;
        return (int)(folded ^ (folded >> 32));
    }

    private static ulong Random() => BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(8));
}
