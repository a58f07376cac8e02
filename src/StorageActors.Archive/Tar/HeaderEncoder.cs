using System.Buffers.Text;
using System.Globalization;

namespace StorageActors.Archive.Tar;

/// <summary>Makes header blocks and PAX records.</summary>
internal sealed class HeaderEncoder(bool nanoseconds)
{
    private const int NameSize = 100;
    private const int PrefixSize = 155;
    private const long MaxId = 0x1fffff;          // 7 octal digits
    private const long MaxSize = 0x1ffffffff;     // 11 octal digits

    private readonly ByteBuffer _records = new();
    private readonly ByteBuffer _name = new();
    private readonly ByteBuffer _value = new();
    private readonly List<TarXattr> _xattrs = [];

    /// <summary>The PAX records without which a ustar header would lose something; empty in most cases. Sorted by key.</summary>
    internal ReadOnlySpan<byte> EncodeRecords(in TarItem item)
    {
        _records.Clear();
        SetName(item);
        var name = _name.Span;
        // The order of the calls is that of the keys.
        EncodeXattrs(item, libarchive: true);
        EncodeXattrs(item, libarchive: false);
        if (item.Gid is < 0 or > MaxId) Record("gid"u8, default, Text(item.Gid));
        if (item.LinkName.Length > NameSize) Record("linkpath"u8, default, item.LinkName);
        if (NeedsPaxTime(item.Mtime)) Record("mtime"u8, default, Text(item.Mtime));
        if (name.Length > NameSize && SplitPoint(name) < 0) Record("path"u8, default, name);
        if (item.Size > MaxSize) Record("size"u8, default, Text(item.Size));
        if (item.Uid is < 0 or > MaxId) Record("uid"u8, default, Text(item.Uid));
        return _records.Span;
    }

    /// <summary>The header in front of the records.</summary>
    internal void EncodePaxHeader(in TarItem item, int length, Span<byte> block)
    {
        block.Clear();
        SetName(item);
        var name = _name.Span.TrimEnd((byte)'/');
        var slash = name.LastIndexOf((byte)'/');
        // As other writers do: a reader without PAX makes it a file beside the real one.
        _value.Set(name[..(slash + 1)]);
        _value.Append("PaxHeaders.0/"u8);
        _value.Append(name[(slash + 1)..]);
        Put(block[..NameSize], _value.Span);
        Octal(block.Slice(100, 8), 0x1a4);   // 0644
        Octal(block.Slice(108, 8), 0);
        Octal(block.Slice(116, 8), 0);
        Octal(block.Slice(124, 12), length);
        Octal(block.Slice(136, 12), 0);
        Complete(block, (byte)'x');
    }

    /// <summary>The entry's own header. What does not fit is cut or 0; the records have it.</summary>
    internal void EncodeHeader(in TarItem item, Span<byte> block)
    {
        block.Clear();
        SetName(item);
        var name = _name.Span;
        var split = name.Length > NameSize ? SplitPoint(name) : -1;
        if (split > 0) Put(block.Slice(345, PrefixSize), name[..split]);
        Put(block[..NameSize], name[(split + 1)..]);
        Octal(block.Slice(100, 8), item.Mode & 0xfff);
        Octal(block.Slice(108, 8), item.Uid is < 0 or > MaxId ? 0 : item.Uid);
        Octal(block.Slice(116, 8), item.Gid is < 0 or > MaxId ? 0 : item.Gid);
        Octal(block.Slice(124, 12), item.Size > MaxSize ? 0 : item.Size);
        Octal(block.Slice(136, 12), item.Mtime.Seconds is < 0 or > MaxSize ? 0 : item.Mtime.Seconds);
        Put(block.Slice(157, NameSize), item.LinkName);
        if (item.Type is TarEntryType.CharacterDevice or TarEntryType.BlockDevice)
        {
            if (item.DeviceMajor is < 0 or > MaxId || item.DeviceMinor is < 0 or > MaxId)
                throw new ArgumentException("a device number that no tar header can hold", nameof(item));
            Octal(block.Slice(329, 8), item.DeviceMajor);
            Octal(block.Slice(337, 8), item.DeviceMinor);
        }

        Complete(block, FlagOf(item.Type));
    }

    private static byte FlagOf(TarEntryType type) => type switch
    {
        TarEntryType.RegularFile => (byte)'0',
        TarEntryType.HardLink => (byte)'1',
        TarEntryType.SymbolicLink => (byte)'2',
        TarEntryType.CharacterDevice => (byte)'3',
        TarEntryType.BlockDevice => (byte)'4',
        TarEntryType.Directory => (byte)'5',
        TarEntryType.Fifo => (byte)'6',
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "not a type that can be written"),
    };

    private static void Complete(Span<byte> block, byte flag)
    {
        block[156] = flag;
        "ustar\000"u8.CopyTo(block[257..]);
        block.Slice(148, 8).Fill((byte)' ');
        var sum = 0;
        foreach (var value in block) sum += value;
        Octal(block.Slice(148, 7), sum);   // six digits, NUL, and the space that is there
    }

    /// <summary>Octal digits with leading zeros and a NUL at the end.</summary>
    private static void Octal(Span<byte> field, long value)
    {
        field[^1] = 0;
        for (var i = field.Length - 2; i >= 0; i--, value >>= 3) field[i] = (byte)('0' + (value & 7));
    }

    private static void Put(Span<byte> field, ReadOnlySpan<byte> text) => text[..Math.Min(text.Length, field.Length)].CopyTo(field);

    private void SetName(in TarItem item)
    {
        _name.Set(item.Name);
        if (item.Type == TarEntryType.Directory && !item.Name.EndsWith("/"u8)) _name.Append((byte)'/');
    }

    /// <summary>The slash at which a long name falls into prefix and name; -1 if there is none.</summary>
    private static int SplitPoint(ReadOnlySpan<byte> name)
    {
        var head = name[..Math.Min(name.Length - 1, PrefixSize + 1)];
        var slash = head.LastIndexOf((byte)'/');
        return slash > 0 && name.Length - slash - 1 <= NameSize ? slash : -1;
    }

    private bool NeedsPaxTime(TarTime time) => time.Seconds is < 0 or > MaxSize || (nanoseconds && time.Nanoseconds != 0);

    private ReadOnlySpan<byte> Text(long value)
    {
        _value.Clear();
        Utf8Formatter.TryFormat(value, _value.Extend(20), out var length);
        _value.Truncate(length);
        return _value.Span;
    }

    private ReadOnlySpan<byte> Text(TarTime time)
    {
        var fraction = nanoseconds ? time.Nanoseconds : 0;
        // Seconds and a positive rest become a sign and a magnitude: -2 s + 0.5 s is -1.5.
        var (sign, seconds) = time.Seconds < 0 ? ("-", -(time.Seconds + (fraction > 0 ? 1 : 0))) : ("", time.Seconds);
        if (time.Seconds < 0 && fraction > 0) fraction = 1_000_000_000 - fraction;
        var text = fraction == 0
            ? string.Create(CultureInfo.InvariantCulture, $"{sign}{seconds}")
            : string.Create(CultureInfo.InvariantCulture, $"{sign}{seconds}.{fraction:D9}").TrimEnd('0');
        _value.Set(System.Text.Encoding.ASCII.GetBytes(text));
        return _value.Span;
    }

    /// <summary>A name with a <c>=</c> cannot be a PAX key; libarchive's form encodes it.</summary>
    private void EncodeXattrs(in TarItem item, bool libarchive)
    {
        if (item.Xattrs.IsEmpty) return;
        _xattrs.Clear();
        foreach (ref readonly var xattr in item.Xattrs)
            if (xattr.Name.Span.Contains((byte)'=') == libarchive) _xattrs.Add(xattr);
        _xattrs.Sort(static (a, b) => a.Name.Span.SequenceCompareTo(b.Name.Span));
        foreach (var xattr in _xattrs)
        {
            if (!libarchive)
            {
                Record("SCHILY.xattr."u8, xattr.Name.Span, xattr.Value.Span);
                continue;
            }

            var value = new byte[Base64.GetMaxEncodedToUtf8Length(xattr.Value.Length)];
            Base64.EncodeToUtf8(xattr.Value.Span, value, out _, out var length);
            Record("LIBARCHIVE.xattr."u8, PercentEncoded(xattr.Name.Span), value.AsSpan(0, length).TrimEnd((byte)'='));
        }
    }

    private ReadOnlySpan<byte> PercentEncoded(ReadOnlySpan<byte> name)
    {
        _value.Clear();
        foreach (var value in name)
        {
            if (value is (byte)'=' or (byte)'%' or < 0x21 or > 0x7e)
                Utf8Formatter.TryFormat(value, WithPercent(_value.Extend(3)), out _, new System.Buffers.StandardFormat('X', 2));
            else
                _value.Append(value);
        }

        return _value.Span;

        static Span<byte> WithPercent(Span<byte> three)
        {
            three[0] = (byte)'%';
            return three[1..];
        }
    }

    /// <summary><c>length key=value\n</c>, where the length counts its own digits.</summary>
    private void Record(ReadOnlySpan<byte> key, ReadOnlySpan<byte> keyEnd, ReadOnlySpan<byte> value)
    {
        var rest = key.Length + keyEnd.Length + value.Length + 3;   // space, equals sign, newline
        var length = rest + Digits(rest);
        if (Digits(length) != Digits(rest)) length = rest + Digits(length);
        Utf8Formatter.TryFormat(length, _records.Extend(Digits(length)), out _);
        _records.Append((byte)' ');
        _records.Append(key);
        _records.Append(keyEnd);
        _records.Append((byte)'=');
        _records.Append(value);
        _records.Append((byte)'\n');
    }

    private static int Digits(int value)
    {
        var digits = 1;
        for (; value >= 10; value /= 10) digits++;
        return digits;
    }
}
