using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace StorageActors.Archive.Tar;

/// <summary>Which fields a header block has, told by its magic.</summary>
internal enum HeaderDialect
{
    /// <summary>No magic: name, mode, ids, size, time, type and link only.</summary>
    V7,

    /// <summary>POSIX: adds names of owner and group, devices, and a prefix of the name. PAX headers are of this kind.</summary>
    Ustar,

    /// <summary>Schilling's: as POSIX, with a shorter prefix and two more times.</summary>
    Star,

    /// <summary>GNU: as POSIX, with times and a sparse map in the place of the prefix.</summary>
    Gnu,
}

/// <summary>The fields of a 512-byte header block, read in place.</summary>
internal readonly ref struct HeaderBlock(ReadOnlySpan<byte> block)
{
    private readonly ReadOnlySpan<byte> _block = block;

    internal ReadOnlySpan<byte> Name => _block[..100];

    internal ReadOnlySpan<byte> Mode => _block.Slice(100, 8);

    internal ReadOnlySpan<byte> Uid => _block.Slice(108, 8);

    internal ReadOnlySpan<byte> Gid => _block.Slice(116, 8);

    internal ReadOnlySpan<byte> Size => _block.Slice(124, 12);

    internal ReadOnlySpan<byte> Mtime => _block.Slice(136, 12);

    internal byte TypeFlag => _block[156];

    internal ReadOnlySpan<byte> LinkName => _block.Slice(157, 100);

    internal ReadOnlySpan<byte> UserName => _block.Slice(265, 32);

    internal ReadOnlySpan<byte> GroupName => _block.Slice(297, 32);

    internal ReadOnlySpan<byte> DeviceMajor => _block.Slice(329, 8);

    internal ReadOnlySpan<byte> DeviceMinor => _block.Slice(337, 8);

    internal ReadOnlySpan<byte> UstarPrefix => _block.Slice(345, 155);

    internal ReadOnlySpan<byte> StarPrefix => _block.Slice(345, 131);

    internal ReadOnlySpan<byte> StarAtime => _block.Slice(476, 12);

    internal ReadOnlySpan<byte> StarCtime => _block.Slice(488, 12);

    internal ReadOnlySpan<byte> GnuAtime => _block.Slice(345, 12);

    internal ReadOnlySpan<byte> GnuCtime => _block.Slice(357, 12);

    internal ReadOnlySpan<byte> GnuSparseMap => _block.Slice(386, 4 * 24);

    internal bool GnuSparseContinues => _block[482] != 0;

    internal ReadOnlySpan<byte> GnuRealSize => _block.Slice(483, 12);

    internal HeaderDialect Dialect
    {
        get
        {
            var magic = _block.Slice(257, 8);
            if (magic.SequenceEqual("ustar  \0"u8)) return HeaderDialect.Gnu;
            if (!magic.StartsWith("ustar\0"u8)) return HeaderDialect.V7;
            return _block.Slice(508, 4).SequenceEqual("tar\0"u8) ? HeaderDialect.Star : HeaderDialect.Ustar;
        }
    }

    /// <summary>Whether this is a block of the end marker.</summary>
    internal bool IsZero => !_block.ContainsAnyExcept((byte)0);

    /// <summary>Whether the checksum field holds the sum of all bytes, itself taken as spaces; old writers summed signed bytes.</summary>
    internal bool ChecksumMatches
    {
        get
        {
            var checksum = _block.Slice(148, 8);
            if (!TarNumber.TryParseField(checksum, out var expected)) return false;
            var (all, high) = Sum(_block);
            var (fieldAll, fieldHigh) = Scalar(checksum);
            var unsigned = all - fieldAll + (8 * ' ');
            return expected == unsigned || expected == unsigned - (256 * (high - fieldHigh));
        }
    }

    /// <summary>The text of a field: up to the first NUL.</summary>
    internal static ReadOnlySpan<byte> Text(ReadOnlySpan<byte> field)
    {
        var end = field.IndexOf((byte)0);
        return end < 0 ? field : field[..end];
    }

    /// <summary>Sum of all bytes, and how many have bit 7 set (a signed sum is 256 less for each).</summary>
    private static (int All, int High) Sum(ReadOnlySpan<byte> block)
    {
        if (!Vector128.IsHardwareAccelerated) return Scalar(block);
        ref var start = ref MemoryMarshal.GetReference(block);
        Vector128<ushort> sum = default, high = default;   // 32 additions of at most 2 * 255: no lane overflows
        for (var i = 0; i < BlockCursor.HeaderSize; i += Vector128<byte>.Count)
        {
            var bytes = Vector128.LoadUnsafe(ref start, (nuint)i);
            var (low, upper) = Vector128.Widen(bytes);
            sum += low + upper;
            high += (low >>> 7) + (upper >>> 7);
        }

        return (Total(sum), Total(high));

        static int Total(Vector128<ushort> lanes)
        {
            var (low, upper) = Vector128.Widen(lanes);
            return (int)Vector128.Sum(low + upper);
        }
    }

    private static (int All, int High) Scalar(ReadOnlySpan<byte> bytes)
    {
        var (sum, high) = (0, 0);
        foreach (var value in bytes)
        {
            sum += value;
            high += value >> 7;
        }

        return (sum, high);
    }
}
