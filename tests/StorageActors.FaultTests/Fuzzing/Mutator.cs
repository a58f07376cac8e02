using System.Text;

namespace StorageActors.FaultTests.Fuzzing;

/// <summary>Makes wrong input of right input. The same seed makes the same.</summary>
internal sealed class Mutator(int seed, IReadOnlyList<byte[]> samples)
{
    private const int Block = 512;
    private const int MaximumChanges = 6;
    private const int MaximumLength = 1 << 20;
    private const int ChecksumOffset = 148;

    /// <summary>Words that mean something somewhere: a random byte string never hits them.</summary>
    private static readonly byte[][] Words =
    [
        .. new[]
        {
            "../", "/../../outside/planted", ".wh.", ".wh..wh..opq", ".wh..wh..plnk", "\0", "\xff\xfe", "99999999999999999999", "-1", "0", "1e400", "null", "{}", "[]", "\"", "\\u0000",
            "GNU.sparse.map=", "GNU.sparse.size=", "GNU.sparse.realsize=", "SCHILY.xattr.trusted.overlay.redirect=", "LIBARCHIVE.xattr.a=", "path=", "linkpath=", "size=",
            "mtime=", "uid=", "77777777777", "\x80\0\0\0\0\0\0\x7f\xff\xff\xff\xff", "ustar\0", "ustar  \0", "include \"/etc/passwd\"", "${a}", "a = ${a}", "+=", "{{{{{{{{",
        }.Select(Encoding.Latin1.GetBytes),
    ];

    private static readonly byte[] TypeFlags = "01234567LKxgSVMDNA\0"u8.ToArray();

    private readonly Random _random = new(seed);

    internal byte[] Next()
    {
        var bytes = samples[_random.Next(samples.Count)].ToList();
        var changes = 1 + _random.Next(MaximumChanges);
        for (var change = 0; change < changes; change++) Change(bytes);
        if (bytes.Count > MaximumLength) bytes.RemoveRange(MaximumLength, bytes.Count - MaximumLength);
        return [.. bytes];
    }

    private void Change(List<byte> bytes)
    {
        if (bytes.Count == 0)
        {
            bytes.AddRange(Words[_random.Next(Words.Length)]);
            return;
        }

        var at = _random.Next(bytes.Count);
        switch (_random.Next(11))
        {
            case 0: bytes[at] ^= (byte)(1 << _random.Next(8)); break;
            case 1: bytes[at] = (byte)_random.Next(256); break;
            case 2: bytes.RemoveRange(at, Length(bytes, at)); break;
            case 3: bytes.InsertRange(at, bytes.GetRange(at, Length(bytes, at))); break;
            case 4: bytes.InsertRange(at, Words[_random.Next(Words.Length)]); break;
            case 5: Overwrite(bytes, at, Words[_random.Next(Words.Length)]); break;
            case 6: bytes.RemoveRange(at, bytes.Count - at); break;
            case 7:
                var other = samples[_random.Next(samples.Count)];
                if (other.Length > 0) bytes.InsertRange(at, other.Skip(_random.Next(other.Length)).Take(1 + _random.Next(2048)));
                break;
            case 8: SwapBlocks(bytes); break;
            default: ChangeHeader(bytes); break;
        }
    }

    private int Length(List<byte> bytes, int at) => Math.Min(bytes.Count - at, 1 + (_random.Next(4) == 0 ? _random.Next(4096) : _random.Next(16)));

    private static void Overwrite(List<byte> bytes, int at, byte[] word)
    {
        for (var i = 0; i < word.Length && at + i < bytes.Count; i++) bytes[at + i] = word[i];
    }

    private void SwapBlocks(List<byte> bytes)
    {
        if (bytes.Count < 2 * Block) return;
        var (from, to) = (_random.Next(bytes.Count / Block) * Block, _random.Next(bytes.Count / Block) * Block);
        for (var i = 0; i < Block; i++) (bytes[from + i], bytes[to + i]) = (bytes[to + i], bytes[from + i]);
    }

    /// <summary>A tar header with a wrong field and a right checksum: else every change ends at the checksum.</summary>
    private void ChangeHeader(List<byte> bytes)
    {
        if (bytes.Count < Block) return;
        var start = _random.Next(bytes.Count / Block) * Block;
        var (offset, length) = _random.Next(9) switch
        {
            0 => (0, 100), 1 => (100, 8), 2 => (108, 8), 3 => (116, 8), 4 => (124, 12), 5 => (136, 12), 6 => (157, 100), 7 => (329, 16), _ => (345, 155),
        };
        if (_random.Next(3) == 0) bytes[start + 156] = TypeFlags[_random.Next(TypeFlags.Length)];
        else Overwrite(bytes, start + offset + _random.Next(length), Words[_random.Next(Words.Length)]);
        for (var i = 0; i < 8; i++) bytes[start + ChecksumOffset + i] = (byte)' ';
        var sum = 0;
        for (var i = 0; i < Block; i++) sum += bytes[start + i];
        Overwrite(bytes, start + ChecksumOffset, Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 "));
    }
}
