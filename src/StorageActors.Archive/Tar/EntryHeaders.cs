namespace StorageActors.Archive.Tar;

/// <summary>Reads everything that stands in front of an entry's payload and fills the entry with it.</summary>
internal sealed class EntryHeaders(BlockCursor cursor, TarEntry entry, TarLimits limits, TarFaults faults, ITarRawSink? sink)
{
    private readonly PaxHeader _pax = new(limits, faults);
    private readonly HeaderFields _fields = new(entry, faults);
    private readonly SparseHeaders _sparse = new(cursor, entry, limits, faults, sink);
    private readonly ByteBuffer _local = new();
    private readonly ByteBuffer _longName = new();
    private readonly ByteBuffer _longLink = new();
    private readonly ByteBuffer _globalBlock = new();
    private bool _extended;
    private int _globalBytes;
    private long _entries;

    /// <summary>Whether the archive ended with zero blocks; known at the end.</summary>
    internal bool HasEndMarker { get; private set; }

    /// <summary>Fills the entry from the next headers; false at the end marker (which is passed) or the end of the input.</summary>
    internal bool ReadNext()
    {
        _local.Clear();
        _longName.Clear();
        _longLink.Clear();
        _extended = false;
        entry.Reset(_entries, cursor.Position);
        while (true)
        {
            var block = cursor.PeekHeader();
            if (block.IsEmpty && !_extended) return false;
            if (block.Length < BlockCursor.HeaderSize) throw faults.Truncated(_extended ? "the headers of an entry" : "a header block");
            var header = new HeaderBlock(block);
            if (header.IsZero)
            {
                HasEndMarker = PassZeroBlock(block);
                if (HasEndMarker) return false;
                continue;
            }

            if (!header.ChecksumMatches) throw faults.Malformed("the checksum of the header does not match (not a tar archive, or damaged)");
            sink?.Raw(block);
            cursor.Advance(BlockCursor.HeaderSize);
            if (ReadExtension(header)) continue;
            if (++_entries > limits.MaxEntries) throw faults.TooLarge($"more than {limits.MaxEntries} entries");
            ReadEntry(header);
            return true;
        }
    }

    /// <summary>True for the second zero block in a row, or a last lone one; a lone one between entries means nothing.</summary>
    private bool PassZeroBlock(ReadOnlySpan<byte> block)
    {
        if (_extended) throw faults.Malformed("an extended header is followed by the end of the archive");
        Pass(block);
        block = cursor.PeekHeader();
        if (block.IsEmpty) return true;
        if (block.Length < BlockCursor.HeaderSize) throw faults.Truncated("its end marker");
        if (!new HeaderBlock(block).IsZero)
        {
            entry.Offset = cursor.Position;
            return false;
        }

        Pass(block);
        return true;
    }

    private void Pass(ReadOnlySpan<byte> block)
    {
        sink?.Raw(block);
        cursor.Advance(block.Length);
    }

    /// <summary>Reads the body of a header that describes others; false if the header is an entry's own.</summary>
    private bool ReadExtension(HeaderBlock header)
    {
        switch (header.TypeFlag)
        {
            case (byte)'x':
                ReadBody(header, _local, limits.MaxPaxBytes, "a PAX header");
                break;
            case (byte)'g':
                _globalBlock.Clear();
                ReadBody(header, _globalBlock, limits.MaxPaxBytes - _globalBytes, "global PAX headers");
                _globalBytes += _globalBlock.Length;
                _pax.AddDefaults(_globalBlock.Span);
                return true;   // says nothing about an entry that must follow
            case (byte)'L':
                _longName.Clear();
                ReadBody(header, _longName, limits.MaxLongNameBytes, "a long name");
                break;
            case (byte)'K':
                _longLink.Clear();
                ReadBody(header, _longLink, limits.MaxLongNameBytes, "a long link target");
                break;
            default:
                return false;
        }

        return _extended = true;
    }

    private void ReadBody(HeaderBlock header, ByteBuffer target, int limit, string what)
    {
        var size = _fields.Number(header.Size, "size");
        if (size < 0) throw faults.Malformed($"{what} has a negative size");
        if (size > limit - (target == _local ? target.Length : 0)) throw faults.TooLarge($"{what} of {size} bytes");
        for (var rest = size; rest > 0;)
        {
            var piece = cursor.Read(rest);
            if (piece.IsEmpty) throw faults.Truncated(what);
            sink?.Raw(piece);
            target.Append(piece);
            rest -= piece.Length;
        }

        PassPadding(size);
    }

    /// <summary>Passes the zeros up to the next block; an archive may end without them.</summary>
    internal void PassPadding(long size)
    {
        for (var rest = -size & (BlockCursor.HeaderSize - 1); rest > 0;)
        {
            var piece = cursor.Read(rest);
            if (piece.IsEmpty) return;
            sink?.Raw(piece);
            rest -= piece.Length;
        }
    }

    private void ReadEntry(HeaderBlock header)
    {
        var dialect = header.Dialect;
        _fields.Read(header, dialect);
        if (_longName.Length > 0) entry.NameBuffer.Set(HeaderBlock.Text(_longName.Span));
        if (_longLink.Length > 0) entry.LinkNameBuffer.Set(HeaderBlock.Text(_longLink.Span));
        _pax.Apply(_local.Memory, entry);
        entry.PackedSize = _pax.Size ?? entry.PackedSize;
        entry.Type = HeaderFields.TypeOf(header.TypeFlag, dialect, entry.Name);
        // A v7 directory keeps its payload, as Go's reader has it; headers of these types have none whatever they say.
        if (entry.TypeFlag is >= (byte)'1' and <= (byte)'6' && !HardLinkHasPayload(dialect)) entry.PackedSize = 0;
        entry.Size = entry.PackedSize;

        if (entry.TypeFlag == (byte)'S' && dialect == HeaderDialect.Gnu) _sparse.ReadOldGnu(header, _fields.Number(header.GnuRealSize, "real size"));
        else if (_pax.Sparse.IsPresent) _sparse.ReadPax(_pax.Sparse);
    }

    /// <summary>POSIX lets a hard link carry the file again, Go and GNU write a size and no data: the next block tells.</summary>
    private bool HardLinkHasPayload(HeaderDialect dialect)
    {
        if (entry.Type != TarEntryType.HardLink || entry.PackedSize == 0 || dialect != HeaderDialect.Ustar) return false;
        var next = cursor.PeekHeader();
        if (next.Length < BlockCursor.HeaderSize) return !next.IsEmpty;
        var header = new HeaderBlock(next);
        return !header.IsZero && !header.ChecksumMatches;
    }
}
