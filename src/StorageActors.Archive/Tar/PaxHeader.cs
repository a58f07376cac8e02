using System.Buffers;
using System.Buffers.Text;

namespace StorageActors.Archive.Tar;

/// <summary>Applies PAX records to an entry.</summary>
internal sealed class PaxHeader(TarLimits limits, TarFaults faults)
{
    private const int FewXattrs = 16;

    private readonly PaxDefaults _defaults = new();
    private readonly Dictionary<ReadOnlyMemory<byte>, int> _positions = new(new SameBytes());
    private readonly ByteBuffer _decoded = new();
    private int _xattrBytes;

    /// <summary>What the records said about a sparse map.</summary>
    internal PaxSparse Sparse { get; } = new();

    /// <summary>The length of the payload, when a record gives it.</summary>
    internal long? Size { get; private set; }

    /// <summary>Applies defaults from global headers, then the entry's own records; the memory must stay as long as the entry.</summary>
    internal void Apply(ReadOnlyMemory<byte> local, TarEntry entry)
    {
        _decoded.Clear();
        _positions.Clear();
        (_xattrBytes, Size) = (0, null);
        Sparse.Reset();
        for (var i = 0; i < _defaults.Count; i++)
        {
            var (key, value) = _defaults[i];
            if (value.Length > 0) ApplyMetadata(key, value, entry);
        }

        if (!local.IsEmpty) ApplyBlock(local, entry);
    }

    /// <summary>Takes a block of global records; a bad one fails where it stands.</summary>
    internal void AddDefaults(ReadOnlySpan<byte> block)
    {
        var records = new PaxRecords(block);
        while (records.MoveNext()) _defaults.Set(records.Key, records.Value);
        if (records.Error is { } error) throw faults.Malformed(error);
    }

    private void ApplyBlock(ReadOnlyMemory<byte> block, TarEntry entry)
    {
        var records = new PaxRecords(block.Span);
        var fromLibarchive = false;
        while (records.MoveNext())
        {
            if (records.Key.StartsWith("SCHILY.xattr."u8))
            {
                var name = block[(records.KeyStart + 13)..(records.ValueStart - 1)];
                AddXattr(entry, name, block.Slice(records.ValueStart, records.Value.Length), replace: true);
            }
            else if (records.Key.StartsWith("LIBARCHIVE.xattr."u8)) fromLibarchive = true;
            else if (!records.Value.IsEmpty) ApplyRecord(records.Key, records.Value, entry);
        }

        if (records.Error is { } error) throw faults.Malformed(error);
        if (fromLibarchive) ApplyLibarchiveXattrs(block, entry);
    }

    private void ApplyRecord(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, TarEntry entry)
    {
        if (key.SequenceEqual("path"u8)) entry.NameBuffer.Set(NameIn(value, "path"));
        else if (key.SequenceEqual("linkpath"u8)) entry.LinkNameBuffer.Set(NameIn(value, "linkpath"));
        else if (key.SequenceEqual("size"u8)) Size = Number(value, "size");
        else if (key.StartsWith("GNU.sparse."u8)) Sparse.Record(key[11..], value, limits, faults);
        else ApplyMetadata(key, value, entry);
    }

    private void ApplyMetadata(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, TarEntry entry)
    {
        if (key.SequenceEqual("mtime"u8)) entry.Mtime = Time(value, "mtime");
        else if (key.SequenceEqual("atime"u8)) entry.Atime = Time(value, "atime");
        else if (key.SequenceEqual("ctime"u8)) entry.Ctime = Time(value, "ctime");
        else if (key.SequenceEqual("uid"u8)) entry.Uid = Number(value, "uid");
        else if (key.SequenceEqual("gid"u8)) entry.Gid = Number(value, "gid");
        else if (key.SequenceEqual("uname"u8)) entry.UserNameBuffer.Set(value);
        else if (key.SequenceEqual("gname"u8)) entry.GroupNameBuffer.Set(value);
    }

    private ReadOnlySpan<byte> NameIn(ReadOnlySpan<byte> value, string key) =>
        value.Contains((byte)0) ? throw faults.Malformed($"PAX {key} contains a NUL") : value;

    private long Number(ReadOnlySpan<byte> value, string key) =>
        TarNumber.TryParseDecimal(value, out var number) ? number : throw faults.Malformed($"PAX {key} is not a number");

    private TarTime Time(ReadOnlySpan<byte> value, string key) =>
        TarNumber.TryParseTime(value, out var time) ? time : throw faults.Malformed($"PAX {key} is not a time");

    private void AddXattr(TarEntry entry, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> value, bool replace)
    {
        if (name.IsEmpty) throw faults.Malformed("an extended attribute has no name");
        _xattrBytes += name.Length + value.Length;
        if (_xattrBytes > limits.MaxXattrBytes)
            throw faults.TooLarge($"extended attributes of more than {limits.MaxXattrBytes} bytes");
        var list = entry.XattrList;
        if (PositionOf(name, list) is var position and >= 0)
        {
            if (replace) list[position] = new TarXattr(name, value);
            return;
        }

        if (list.Count >= limits.MaxXattrs) throw faults.TooLarge($"more than {limits.MaxXattrs} extended attributes");
        list.Add(new TarXattr(name, value));
    }

    /// <summary>Where an attribute is in the list, -1 if it is not. Few are looked through; of many the places are kept, or a header
    /// full of attributes would cost its square.</summary>
    private int PositionOf(ReadOnlyMemory<byte> name, List<TarXattr> list)
    {
        if (list.Count > FewXattrs)
        {
            for (var i = _positions.Count; i < list.Count; i++) _positions.Add(list[i].Name, i);
            return _positions.GetValueOrDefault(name, -1);
        }

        for (var i = 0; i < list.Count; i++)
            if (list[i].Name.Span.SequenceEqual(name.Span)) return i;
        return -1;
    }

    /// <summary>libarchive's own form, name percent-encoded and value in base64, counts where the common form is absent.</summary>
    private void ApplyLibarchiveXattrs(ReadOnlyMemory<byte> block, TarEntry entry)
    {
        var records = new PaxRecords(block.Span);
        while (records.MoveNext())
        {
            if (!records.Key.StartsWith("LIBARCHIVE.xattr."u8)) continue;
            var name = DecodePercent(records.Key[17..]);
            AddXattr(entry, name, DecodeBase64(records.Value), replace: false);
        }
    }

    private ReadOnlyMemory<byte> DecodePercent(ReadOnlySpan<byte> text)
    {
        var start = _decoded.Length;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == (byte)'%' && i + 2 < text.Length
                && Utf8Parser.TryParse(text.Slice(i + 1, 2), out byte value, out var used, 'x') && used == 2)
            {
                _decoded.Append(value);
                i += 2;
            }
            else
            {
                _decoded.Append(text[i]);
            }
        }

        var name = _decoded.Memory[start..];
        return name.Span.Contains((byte)0) ? throw faults.Malformed("the name of an extended attribute contains a NUL") : name;
    }

    private ReadOnlyMemory<byte> DecodeBase64(ReadOnlySpan<byte> text)
    {
        text = text.TrimEnd((byte)'=');   // libarchive writes no padding, and no reader needs it
        var start = _decoded.Length;
        var whole = text.Length & ~3;
        var target = _decoded.Extend(Base64.GetMaxDecodedFromUtf8Length(whole) + 3);
        var status = Base64.DecodeFromUtf8(text[..whole], target, out _, out var written);
        Span<byte> last = stackalloc byte[4];
        last.Fill((byte)'=');
        text[whole..].CopyTo(last);
        var tail = 0;
        if (status == OperationStatus.Done && whole < text.Length)
            status = Base64.DecodeFromUtf8(last, target[written..], out _, out tail);
        if (status != OperationStatus.Done) throw faults.Malformed("the value of an extended attribute is not base64");
        _decoded.Truncate(start + written + tail);
        return _decoded.Memory[start..];
    }

    private sealed class SameBytes : IEqualityComparer<ReadOnlyMemory<byte>>
    {
        public bool Equals(ReadOnlyMemory<byte> x, ReadOnlyMemory<byte> y) => x.Span.SequenceEqual(y.Span);

        public int GetHashCode(ReadOnlyMemory<byte> bytes)
        {
            var hash = default(HashCode);   // seeded anew by each process
            hash.AddBytes(bytes.Span);
            return hash.ToHashCode();
        }
    }
}
