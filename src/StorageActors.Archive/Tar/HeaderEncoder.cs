namespace StorageActors.Archive.Tar;

/// <summary>Makes header blocks, and decides what goes into PAX records.</summary>
internal sealed class HeaderEncoder(bool nanoseconds)
{
    private const int NameSize = 100;
    private const int PrefixSize = 155;
    private const long MaxId = 0x1fffff;          // 7 octal digits
    private const long MaxSize = 0x1ffffffff;     // 11 octal digits

    private readonly PaxRecordWriter _records = new();
    private readonly ByteBuffer _name = new();
    private readonly ByteBuffer _paxName = new();

    /// <summary>The PAX records without which a ustar header would lose something; empty in most cases. Sorted by key.</summary>
    internal ReadOnlySpan<byte> EncodeRecords(in TarItem item)
    {
        SetName(item);
        var name = _name.Span;
        _records.Clear();
        // The order of the calls is that of the keys.
        _records.AddXattrs(item.Xattrs);
        if (item.Gid is < 0 or > MaxId) _records.Add("gid"u8, item.Gid);
        if (item.LinkName.Length > NameSize) _records.Add("linkpath"u8, item.LinkName);
        if (NeedsPaxTime(item.Mtime)) _records.Add("mtime"u8, nanoseconds ? item.Mtime : new TarTime(item.Mtime.Seconds));
        if (name.Length > NameSize && SplitPoint(name) < 0) _records.Add("path"u8, name);
        if (item.Size > MaxSize) _records.Add("size"u8, item.Size);
        if (item.Uid is < 0 or > MaxId) _records.Add("uid"u8, item.Uid);
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
        _paxName.Set(name[..(slash + 1)]);
        _paxName.Append("PaxHeaders.0/"u8);
        _paxName.Append(name[(slash + 1)..]);
        Put(block[..NameSize], _paxName.Span);
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
}
