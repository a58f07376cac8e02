namespace StorageActors.Archive.Tar;

/// <summary>Reads everything that stands in front of an entry's payload and fills the entry with it.</summary>
internal sealed class EntryHeaders(BlockCursor cursor, TarEntry entry, TarLimits limits, TarFaults faults, ITarRawSink? sink)
{
    private readonly PaxHeader _pax = new(limits, faults);
    private readonly ByteBuffer _global = new();
    private readonly ByteBuffer _local = new();
    private readonly ByteBuffer _longName = new();
    private readonly ByteBuffer _longLink = new();
    private readonly ByteBuffer _globalBlock = new();
    private bool _extended;
    private long _entries;

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
                if (PassZeroBlock(block)) return false;
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
                ReadBody(header, _globalBlock, limits.MaxPaxBytes - _global.Length, "global PAX headers");
                _pax.Check(_globalBlock.Span);
                _global.Append(_globalBlock.Span);
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
        var size = Field(header.Size, "size");
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
        ReadFields(header, dialect);
        if (_longName.Length > 0) entry.NameBuffer.Set(HeaderBlock.Text(_longName.Span));
        if (_longLink.Length > 0) entry.LinkNameBuffer.Set(HeaderBlock.Text(_longLink.Span));
        _pax.Apply(_global.Memory, _local.Memory, entry);
        entry.PackedSize = _pax.Size ?? entry.PackedSize;
        entry.Type = TypeOf(header.TypeFlag, dialect, entry.Name);
        // A v7 directory keeps its payload, as Go's reader has it; headers of these types have none whatever they say.
        if (entry.TypeFlag is >= (byte)'1' and <= (byte)'6' && !HardLinkHasPayload(dialect)) entry.PackedSize = 0;
        entry.Size = entry.PackedSize;

        if (entry.TypeFlag == (byte)'S' && dialect == HeaderDialect.Gnu) ReadOldGnuSparse(header);
        else if (_pax.Sparse.IsPresent) ReadPaxSparse();
    }

    private void ReadFields(HeaderBlock header, HeaderDialect dialect)
    {
        entry.TypeFlag = header.TypeFlag;
        entry.Mode = (int)(Field(header.Mode, "mode") & 0xfff);
        entry.Uid = Field(header.Uid, "uid");
        entry.Gid = Field(header.Gid, "gid");
        entry.PackedSize = Field(header.Size, "size");
        if (entry.PackedSize < 0) throw faults.Malformed("negative size");
        entry.Mtime = new TarTime(Field(header.Mtime, "mtime"));
        if (dialect != HeaderDialect.V7)
        {
            entry.UserNameBuffer.Set(HeaderBlock.Text(header.UserName));
            entry.GroupNameBuffer.Set(HeaderBlock.Text(header.GroupName));
            if (header.TypeFlag is (byte)'3' or (byte)'4')
            {
                entry.DeviceMajor = Field(header.DeviceMajor, "device major");
                entry.DeviceMinor = Field(header.DeviceMinor, "device minor");
            }
        }

        var prefix = dialect switch
        {
            HeaderDialect.Ustar => HeaderBlock.Text(header.UstarPrefix),
            HeaderDialect.Star => HeaderBlock.Text(header.StarPrefix),
            HeaderDialect.Gnu => ReadGnuTimes(header),
            _ => default,
        };
        if (dialect == HeaderDialect.Star) (entry.Atime, entry.Ctime) = (TimeField(header.StarAtime), TimeField(header.StarCtime));
        if (!prefix.IsEmpty)
        {
            entry.NameBuffer.Append(prefix);
            entry.NameBuffer.Append((byte)'/');
        }

        entry.NameBuffer.Append(HeaderBlock.Text(header.Name));
        entry.LinkNameBuffer.Set(HeaderBlock.Text(header.LinkName));
    }

    /// <summary>GNU headers have times where POSIX has the prefix. Go before 1.8, which built the early Docker layers, wrote a prefix
    /// all the same: what is no number is that prefix.</summary>
    private ReadOnlySpan<byte> ReadGnuTimes(HeaderBlock header)
    {
        if (header.GnuAtime[0] == 0 && header.GnuCtime[0] == 0) return default;
        if (TarNumber.TryParseField(header.GnuAtime, out var atime) && TarNumber.TryParseField(header.GnuCtime, out var ctime))
        {
            if (header.GnuAtime[0] != 0) entry.Atime = new TarTime(atime);
            if (header.GnuCtime[0] != 0) entry.Ctime = new TarTime(ctime);
            return default;
        }

        var prefix = HeaderBlock.Text(header.UstarPrefix);
        return System.Text.Ascii.IsValid(prefix) ? prefix : default;
    }

    private static TarTime? TimeField(ReadOnlySpan<byte> field) =>
        field[0] != 0 && TarNumber.TryParseField(field, out var seconds) ? new TarTime(seconds) : null;

    private long Field(ReadOnlySpan<byte> field, string name) =>
        TarNumber.TryParseField(field, out var value) ? value : throw faults.Malformed($"the header's {name} is not a number");

    private static TarEntryType TypeOf(byte flag, HeaderDialect dialect, ReadOnlySpan<byte> name) => flag switch
    {
        0 => name.EndsWith("/"u8) ? TarEntryType.Directory : TarEntryType.RegularFile,
        (byte)'0' or (byte)'7' => TarEntryType.RegularFile,
        (byte)'S' when dialect == HeaderDialect.Gnu => TarEntryType.RegularFile,
        (byte)'1' => TarEntryType.HardLink,
        (byte)'2' => TarEntryType.SymbolicLink,
        (byte)'3' => TarEntryType.CharacterDevice,
        (byte)'4' => TarEntryType.BlockDevice,
        (byte)'5' => TarEntryType.Directory,
        (byte)'6' => TarEntryType.Fifo,
        _ => TarEntryType.Unknown,
    };

    /// <summary>POSIX lets a hard link carry the file again, Go and GNU write a size and no data: the next block tells.</summary>
    private bool HardLinkHasPayload(HeaderDialect dialect)
    {
        if (entry.Type != TarEntryType.HardLink || entry.PackedSize == 0 || dialect != HeaderDialect.Ustar) return false;
        var next = cursor.PeekHeader();
        if (next.Length < BlockCursor.HeaderSize) return !next.IsEmpty;
        var header = new HeaderBlock(next);
        return !header.IsZero && !header.ChecksumMatches;
    }

    private void ReadOldGnuSparse(HeaderBlock header)
    {
        entry.IsSparse = true;
        entry.Size = Field(header.GnuRealSize, "real size");
        SparseMap.AddOldGnu(header.GnuSparseMap, entry, limits, faults);
        for (var more = header.GnuSparseContinues; more;)
        {
            var block = NextMapBlock();
            SparseMap.AddOldGnu(block[..(21 * 24)], entry, limits, faults);
            more = block[504] != 0;
            Pass(block);
        }

        SparseMap.Check(entry, faults);
    }

    private void ReadPaxSparse()
    {
        var sparse = _pax.Sparse;
        sparse.RequireWhole(faults);
        if (!sparse.IsKnown) throw faults.Malformed("a sparse file in a format this reader does not know");
        if (entry.Type != TarEntryType.RegularFile) throw faults.Malformed("a sparse map on something that is no regular file");
        entry.IsSparse = true;
        entry.Size = sparse.RealSize ?? throw faults.Malformed("a sparse file without its real size");
        if (!sparse.Name.IsEmpty) entry.NameBuffer.Set(sparse.Name);
        entry.ExtentList.AddRange(sparse.Extents);
        if (sparse.MapIsInData)
        {
            entry.ExtentList.Clear();
            ReadMapInData();
        }

        SparseMap.Check(entry, faults);
    }

    private void ReadMapInData()
    {
        var text = default(SparseMapText);
        while (!text.IsComplete)
        {
            if (entry.PackedSize < BlockCursor.HeaderSize) throw faults.Malformed("the sparse map is longer than the entry");
            var block = NextMapBlock();
            text.Read(block, entry, limits, faults);
            entry.PackedSize -= block.Length;
            Pass(block);
        }
    }

    private ReadOnlySpan<byte> NextMapBlock()
    {
        var block = cursor.PeekHeader();
        return block.Length == BlockCursor.HeaderSize ? block : throw faults.Truncated("a sparse map");
    }
}
