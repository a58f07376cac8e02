using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace StorageActors.Archive.Digests;

/// <summary>CRC-64 with the ISO polynomial as Go's <c>hash/crc64</c> computes it, which tar-split records for every file. (The BCL's
/// Crc64 is another polynomial.) Carry-less multiplication where the processor has it, tables elsewhere.</summary>
internal static class Crc64
{
    private const ulong Polynomial = 0xD800000000000000;   // bit-reflected
    private const int FoldThreshold = 128;                 // below, the tables are as fast

    /// <summary>16 tables of 256: table n gives the effect of a byte that n more bytes follow.</summary>
    private static readonly ulong[] Tables = BuildTables();

    // A 128-bit remainder moves on by d bits when its halves are multiplied by x^(d+63) and x^(d-1); the missing 1 is the one
    // that a product of two reflected numbers is short of.
    private static readonly Vector128<ulong> FoldBy512 = Vector128.Create(PowerOfX(512 + 63), PowerOfX(512 - 1));
    private static readonly Vector128<ulong> FoldBy128 = Vector128.Create(PowerOfX(128 + 63), PowerOfX(128 - 1));

    /// <summary>The CRC of some bytes.</summary>
    internal static ulong Compute(ReadOnlySpan<byte> bytes) => Append(0, bytes);

    /// <summary>Continues a CRC: <c>Append(Compute(a), b)</c> is the CRC of a and b together, 0 that of nothing.</summary>
    internal static ulong Append(ulong crc, ReadOnlySpan<byte> bytes)
    {
        var state = ~crc;
        if (bytes.Length >= FoldThreshold && CarrylessMultiply.IsSupported) state = Fold(state, ref bytes);
        return ~ByTables(state, bytes);
    }

    /// <summary>Tables only, 16 bytes a step: the path of processors without carry-less multiplication.</summary>
    internal static ulong AppendByTables(ulong crc, ReadOnlySpan<byte> bytes) => ~ByTables(~crc, bytes);

    private static ulong ByTables(ulong state, ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<ulong> tables = Tables;
        for (; bytes.Length >= 16; bytes = bytes[16..])
        {
            var low = state ^ System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(bytes);
            var high = System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]);
            state = tables[0x000 + (int)(high >> 56)] ^ tables[0x100 + (int)(byte)(high >> 48)]
                ^ tables[0x200 + (int)(byte)(high >> 40)] ^ tables[0x300 + (int)(byte)(high >> 32)]
                ^ tables[0x400 + (int)(byte)(high >> 24)] ^ tables[0x500 + (int)(byte)(high >> 16)]
                ^ tables[0x600 + (int)(byte)(high >> 8)] ^ tables[0x700 + (int)(byte)high]
                ^ tables[0x800 + (int)(low >> 56)] ^ tables[0x900 + (int)(byte)(low >> 48)]
                ^ tables[0xa00 + (int)(byte)(low >> 40)] ^ tables[0xb00 + (int)(byte)(low >> 32)]
                ^ tables[0xc00 + (int)(byte)(low >> 24)] ^ tables[0xd00 + (int)(byte)(low >> 16)]
                ^ tables[0xe00 + (int)(byte)(low >> 8)] ^ tables[0xf00 + (int)(byte)low];
        }

        foreach (var value in bytes) state = tables[(byte)state ^ value] ^ (state >> 8);
        return state;
    }

    /// <summary>Takes all whole 16-byte pieces; four independent remainders keep the multiplier busy.</summary>
    private static ulong Fold(ulong state, ref ReadOnlySpan<byte> bytes)
    {
        var pieces = MemoryMarshal.Cast<byte, Vector128<ulong>>(bytes);
        var a = pieces[0] ^ Vector128.CreateScalar(state);
        var (b, c, d) = (pieces[1], pieces[2], pieces[3]);
        var next = 4;
        for (; next + 4 <= pieces.Length; next += 4)
        {
            a = CarrylessMultiply.Fold(a, FoldBy512) ^ pieces[next];
            b = CarrylessMultiply.Fold(b, FoldBy512) ^ pieces[next + 1];
            c = CarrylessMultiply.Fold(c, FoldBy512) ^ pieces[next + 2];
            d = CarrylessMultiply.Fold(d, FoldBy512) ^ pieces[next + 3];
        }

        a = CarrylessMultiply.Fold(a, FoldBy128) ^ b;
        a = CarrylessMultiply.Fold(a, FoldBy128) ^ c;
        a = CarrylessMultiply.Fold(a, FoldBy128) ^ d;
        for (; next < pieces.Length; next++) a = CarrylessMultiply.Fold(a, FoldBy128) ^ pieces[next];

        bytes = bytes[(pieces.Length * 16)..];
        Span<Vector128<ulong>> last = [a];
        return ByTables(0, MemoryMarshal.AsBytes(last));
    }

    private static ulong[] BuildTables()
    {
        var tables = new ulong[16 * 256];
        for (var value = 0; value < 256; value++)
        {
            var crc = (ulong)value;
            for (var bit = 0; bit < 8; bit++) crc = TimesX(crc);
            tables[value] = crc;
        }

        for (var i = 256; i < tables.Length; i++) tables[i] = tables[(byte)tables[i - 256]] ^ (tables[i - 256] >> 8);
        return tables;
    }

    /// <summary>x to a power modulo the polynomial; bit 63 is x^0.</summary>
    private static ulong PowerOfX(int power)
    {
        var value = 1UL << 63;
        for (; power > 0; power--) value = TimesX(value);
        return value;
    }

    private static ulong TimesX(ulong value) => (value >> 1) ^ ((value & 1) != 0 ? Polynomial : 0);
}
