namespace StorageActors.Archive.Tar;

/// <summary>Reads where the data of a sparse entry goes.</summary>
internal sealed class SparseHeaders(BlockCursor cursor, TarEntry entry, TarLimits limits, TarFaults faults, ITarRawSink? sink)
{
    /// <summary>Reads the map in the header and in the blocks behind it.</summary>
    internal void ReadOldGnu(HeaderBlock header, long realSize)
    {
        entry.IsSparse = true;
        entry.Size = realSize;
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

    /// <summary>Applies what PAX records said, with the map that may stand in front of the data.</summary>
    internal void ReadPax(PaxSparse sparse)
    {
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

    private void Pass(ReadOnlySpan<byte> block)
    {
        sink?.Raw(block);
        cursor.Advance(block.Length);
    }
}
