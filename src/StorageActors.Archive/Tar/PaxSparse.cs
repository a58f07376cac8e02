namespace StorageActors.Archive.Tar;

/// <summary>What <c>GNU.sparse.*</c> records of one entry say: formats 0.0 and 0.1 carry the map themselves, 1.0 puts it in front of
/// the data.</summary>
internal sealed class PaxSparse
{
    private readonly List<TarExtent> _extents = [];
    private readonly ByteBuffer _name = new();
    private long? _offset;
    private long? _major;
    private long? _minor;
    private bool _hasMap;

    /// <summary>Whether the records describe a sparse file at all.</summary>
    internal bool IsPresent => _hasMap || _major is not null || _minor is not null;

    /// <summary>Whether the map stands in front of the data.</summary>
    internal bool MapIsInData => _major is 1 && (_minor ?? 0) == 0;

    /// <summary>Whether this reader knows the format.</summary>
    internal bool IsKnown => MapIsInData || ((_major ?? 0) == 0 && (_minor ?? 0) is 0 or 1);

    /// <summary>Length of the file with its holes.</summary>
    internal long? RealSize { get; private set; }

    /// <summary>The file's name when the header's is a made-up one; else empty.</summary>
    internal ReadOnlySpan<byte> Name => _name.Span;

    /// <summary>The map of formats 0.0 and 0.1.</summary>
    internal List<TarExtent> Extents => _extents;

    internal void Reset()
    {
        _extents.Clear();
        _name.Clear();
        (_offset, _major, _minor, _hasMap, RealSize) = (null, null, null, false, null);
    }

    /// <summary>Takes a record; <paramref name="key"/> is without <c>GNU.sparse.</c>.</summary>
    internal void Record(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, TarLimits limits, TarFaults faults)
    {
        if (key.SequenceEqual("map"u8)) ReadMap(value, limits, faults);
        else if (key.SequenceEqual("name"u8)) SetName(value, faults);
        else if (key.SequenceEqual("major"u8)) _major = Number(value, faults);
        else if (key.SequenceEqual("minor"u8)) _minor = Number(value, faults);
        else if (key.SequenceEqual("size"u8) || key.SequenceEqual("realsize"u8)) RealSize = Number(value, faults);
        else if (key.SequenceEqual("offset"u8)) StartPair(Number(value, faults), faults);
        else if (key.SequenceEqual("numbytes"u8)) EndPair(Number(value, faults), limits, faults);
    }

    /// <summary>Fails when an offset was left without its length.</summary>
    internal void RequireWhole(TarFaults faults)
    {
        if (_offset is not null) throw faults.Malformed("a sparse map ends with an offset that has no length");
    }

    private void SetName(ReadOnlySpan<byte> value, TarFaults faults)
    {
        if (value.Contains((byte)0)) throw faults.Malformed("GNU.sparse.name contains a NUL");
        _name.Set(value);
    }

    private void StartPair(long offset, TarFaults faults)
    {
        RequireWhole(faults);
        (_offset, _hasMap) = (offset, true);
    }

    private void EndPair(long length, TarLimits limits, TarFaults faults)
    {
        var offset = _offset ?? throw faults.Malformed("a sparse map has a length without its offset");
        _offset = null;
        SparseMap.Add(_extents, offset, length, limits, faults);
    }

    private void ReadMap(ReadOnlySpan<byte> text, TarLimits limits, TarFaults faults)
    {
        _extents.Clear();
        _hasMap = true;
        foreach (var part in text.Split((byte)','))
        {
            var number = Number(text[part], faults);
            if (_offset is null) _offset = number;
            else EndPair(number, limits, faults);
        }
    }

    private static long Number(ReadOnlySpan<byte> value, TarFaults faults) =>
        TarNumber.TryParseDecimal(value, out var number) ? number : throw faults.Malformed("a GNU.sparse record is not a number");
}
