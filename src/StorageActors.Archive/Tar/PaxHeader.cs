using System.Buffers;
using System.Buffers.Text;

namespace StorageActors.Archive.Tar;

/// <summary>Applies PAX records to an entry.</summary>
internal sealed class PaxHeader(TarLimits limits, TarFaults faults)
{
    private readonly ByteBuffer _decoded = new();
    private int _xattrBytes;

    /// <summary>What the records said about a sparse map.</summary>
    internal PaxSparse Sparse { get; } = new();

    /// <summary>The length of the payload, when a record gives it.</summary>
    internal long? Size { get; private set; }

    /// <summary>Applies defaults from global headers, then the entry's own records; the memory must stay as long as the entry.</summary>
    internal void Apply(ReadOnlyMemory<byte> global, ReadOnlyMemory<byte> local, TarEntry entry)
    {
        _decoded.Clear();
        (_xattrBytes, Size) = (0, null);
        Sparse.Reset();
        if (!global.IsEmpty) Apply(global, entry, isGlobal: true);
        if (!local.IsEmpty) Apply(local, entry, isGlobal: false);
    }

    /// <summary>Checks the form of a block of records, so that a bad global header fails where it stands.</summary>
    internal void Check(ReadOnlySpan<byte> block)
    {
        var records = new PaxRecords(block);
        while (records.MoveNext()) { }
        if (records.Error is { } error) throw faults.Malformed(error);
    }

    private void Apply(ReadOnlyMemory<byte> block, TarEntry entry, bool isGlobal)
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
            else if (!records.Value.IsEmpty) ApplyRecord(records.Key, records.Value, entry, isGlobal);
        }

        if (records.Error is { } error) throw faults.Malformed(error);
        if (fromLibarchive) ApplyLibarchiveXattrs(block, entry);
    }

    private void ApplyRecord(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, TarEntry entry, bool isGlobal)
    {
        // What shapes the archive comes from the entry's own header alone: a global name or size makes no sense, and readers
        // that ignore global headers (all of Go's) must not see other entries than we do.
        if (!isGlobal)
        {
            if (key.SequenceEqual("path"u8)) { entry.NameBuffer.Set(NameIn(value, "path")); return; }
            if (key.SequenceEqual("linkpath"u8)) { entry.LinkNameBuffer.Set(NameIn(value, "linkpath")); return; }
            if (key.SequenceEqual("size"u8)) { Size = Number(value, "size"); return; }
            if (key.StartsWith("GNU.sparse."u8)) { Sparse.Record(key[11..], value, limits, faults); return; }
        }

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
        for (var i = 0; i < list.Count; i++)
        {
            if (!list[i].Name.Span.SequenceEqual(name.Span)) continue;
            if (replace) list[i] = new TarXattr(name, value);
            return;
        }

        if (list.Count >= limits.MaxXattrs) throw faults.TooLarge($"more than {limits.MaxXattrs} extended attributes");
        list.Add(new TarXattr(name, value));
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
}
