namespace StorageActors.Archive.Tar;

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
