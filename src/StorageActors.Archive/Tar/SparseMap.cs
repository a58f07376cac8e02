namespace StorageActors.Archive.Tar;

/// <summary>Reads and checks the maps of sparse entries.</summary>
internal static class SparseMap
{
    /// <summary>Adds a run of data, within the limit.</summary>
    internal static void Add(List<TarExtent> extents, long offset, long length, TarLimits limits, TarFaults faults)
    {
        if (extents.Count >= limits.MaxSparseExtents)
            throw faults.TooLarge($"a sparse file with more than {limits.MaxSparseExtents} runs of data");
        extents.Add(new TarExtent(offset, length));
    }

    /// <summary>Adds the pairs of an old GNU map, in a header or in an extension block; an empty pair ends it.</summary>
    internal static void AddOldGnu(ReadOnlySpan<byte> pairs, TarEntry entry, TarLimits limits, TarFaults faults)
    {
        for (; pairs.Length >= 24; pairs = pairs[24..])
        {
            if (pairs[0] == 0) return;
            if (!TarNumber.TryParseField(pairs[..12], out var offset) || !TarNumber.TryParseField(pairs.Slice(12, 12), out var length))
                throw faults.Malformed("the sparse map holds something that is not a number");
            Add(entry.ExtentList, offset, length, limits, faults);
        }
    }

    /// <summary>Fails unless the runs ascend, do not overlap, lie inside the file and are together as long as the payload.</summary>
    internal static void Check(TarEntry entry, TarFaults faults)
    {
        long end = 0, total = 0;
        foreach (var (offset, length) in entry.Extents)
        {
            if (offset < end || length < 0 || length > entry.Size - offset)
                throw faults.Malformed("the runs of a sparse map overlap, descend, or lie outside of the file");
            end = offset + length;
            total += length;
        }

        if (total != entry.PackedSize)
            throw faults.Malformed($"the sparse map describes {total} bytes of data, the entry has {entry.PackedSize}");
    }
}

/// <summary>Reads the map of format 1.0: lines of decimal numbers in blocks in front of the data, the count first.</summary>
internal struct SparseMapText
{
    private long _number;
    private int _digits;
    private long _expected;
    private long? _offset;
    private bool _hasCount;

    /// <summary>Whether the last number has been read; the rest of its block is padding.</summary>
    internal bool IsComplete { get; private set; }

    /// <summary>Reads one block of the map.</summary>
    internal void Read(ReadOnlySpan<byte> block, TarEntry entry, TarLimits limits, TarFaults faults)
    {
        foreach (var value in block)
        {
            if (IsComplete) return;
            if (value == (byte)'\n' && _digits > 0) EndLine(entry, limits, faults);
            else if (value is >= (byte)'0' and <= (byte)'9' && _digits < 18) (_number, _digits) = ((_number * 10) + value - '0', _digits + 1);
            else throw faults.Malformed("the sparse map in front of the data is not a list of numbers");
        }
    }

    private void EndLine(TarEntry entry, TarLimits limits, TarFaults faults)
    {
        var number = _number;
        (_number, _digits) = (0, 0);
        if (!_hasCount) (_hasCount, _expected) = (true, number);
        else if (_offset is null) _offset = number;
        else
        {
            SparseMap.Add(entry.ExtentList, _offset.Value, number, limits, faults);
            _offset = null;
        }

        IsComplete = entry.ExtentList.Count == _expected && _offset is null;
    }
}
