namespace StorageActors.Archive.Tar;

/// <summary>
/// Reads an archive entry by entry, in place: payloads are handed on as spans of the source's own blocks. Understands v7, ustar, star,
/// PAX and GNU (long names, base-256, all sparse formats). Malformed, truncated and oversized archives are
/// <see cref="TarFormatException"/>; nothing else is thrown but what the source and the sink throw.
/// </summary>
/// <remarks>
/// Two zero blocks end the archive; the reader then passes whatever follows to the sink up to the real end of the input, so that a
/// digest made by the source covers all of it. Global PAX records are defaults for times and owners only. Not safe for several threads.
/// </remarks>
internal sealed class TarReader
{
    private readonly BlockCursor _cursor;
    private readonly EntryHeaders _headers;
    private readonly TarFaults _faults;
    private readonly ITarRawSink? _sink;
    private readonly TarLimits _limits;
    private bool _inEntry;
    private bool _atEnd;
    private long _remaining;   // of the packed payload
    private int _extent;
    private long _extentDone;
    private long _plainOffset;

    /// <param name="source">The uncompressed archive.</param>
    /// <param name="limits">Bounds; the default ones if null.</param>
    /// <param name="sink">Sees every byte, or null.</param>
    internal TarReader(IBlockSource source, TarLimits? limits = null, ITarRawSink? sink = null)
    {
        _cursor = new BlockCursor(source);
        _limits = limits ?? TarLimits.Default;
        _sink = sink;
        _faults = new TarFaults(_cursor, Current);
        _headers = new EntryHeaders(_cursor, Current, _limits, _faults, sink);
    }

    /// <summary>The entry <see cref="MoveNext"/> came to; one object, refilled.</summary>
    internal TarEntry Current { get; } = new();

    /// <summary>Bytes of the archive passed so far.</summary>
    internal long Position => _cursor.Position;

    /// <summary>Whether the archive ended as archives do; else it may have been cut between two entries. Known when <see cref="MoveNext"/> was false.</summary>
    internal bool HasEndMarker => _headers.HasEndMarker;

    /// <summary>Passes what is left of the current entry and comes to the next one; false at the end, with the input read to its end.</summary>
    internal bool MoveNext()
    {
        if (_atEnd) return false;
        if (_inEntry)
        {
            SkipPayload();
            _sink?.EndEntry();
            _headers.PassPadding(Current.PackedSize);
            _inEntry = false;
        }

        CheckLength();
        if (!_headers.ReadNext())
        {
            _atEnd = true;
            _sink?.EndEntries();
            Drain();
            return false;
        }

        _inEntry = true;
        _remaining = Current.PackedSize;
        (_extent, _extentDone, _plainOffset) = (0, 0, 0);
        _sink?.BeginEntry(Current);
        return true;
    }

    /// <summary>The next piece of the payload as it lies in the archive; empty when all of it has passed.</summary>
    internal ReadOnlySpan<byte> ReadPayload() => ReadPacked(_remaining);

    /// <summary>The next piece of the file's data and where in the file it belongs: holes of sparse entries are left out, for all others
    /// the offsets just follow each other. False when there is no more. Not to be mixed with <see cref="ReadPayload"/>.</summary>
    internal bool ReadPiece(out long fileOffset, out ReadOnlySpan<byte> data)
    {
        if (!Current.IsSparse)
        {
            fileOffset = _plainOffset;
            data = ReadPacked(_remaining);
            _plainOffset += data.Length;
            return !data.IsEmpty;
        }

        var extents = Current.Extents;
        for (; _extent < extents.Length; (_extent, _extentDone) = (_extent + 1, 0))
        {
            var (offset, length) = extents[_extent];
            if (_extentDone == length) continue;
            fileOffset = offset + _extentDone;
            data = ReadPacked(length - _extentDone);
            _extentDone += data.Length;
            return true;
        }

        fileOffset = Current.Size;
        data = default;
        return false;
    }

    /// <summary>
    /// All of the payload, if nothing of it was read and it lies together in the source's block, where it stays until the source is asked for the next one;
    /// else nothing is passed, and it is to be read piece by piece. Never for sparse entries.
    /// </summary>
    internal bool TryReadWhole(out ReadOnlyMemory<byte> data)
    {
        data = default;
        if (Current.IsSparse || _remaining != Current.PackedSize || !_cursor.TryRead(_remaining, out data)) return false;
        CheckLength();
        _remaining = 0;
        if (!data.IsEmpty) _sink?.Payload(data.Span);
        return true;
    }

    /// <summary>Writes the rest of the packed payload to a stream.</summary>
    internal void CopyPayloadTo(Stream target)
    {
        for (var piece = ReadPayload(); !piece.IsEmpty; piece = ReadPayload()) target.Write(piece);
    }

    /// <summary>Passes the rest of the payload (the sink sees it). <see cref="MoveNext"/> does so by itself.</summary>
    internal void SkipPayload()
    {
        while (!ReadPayload().IsEmpty) { }
    }

    private ReadOnlySpan<byte> ReadPacked(long limit)
    {
        if (_remaining == 0) return default;
        var piece = _cursor.Read(Math.Min(limit, _remaining));
        if (piece.IsEmpty) throw _faults.Truncated($"the data of an entry, {_remaining} of {Current.PackedSize} bytes are missing");
        CheckLength();
        _remaining -= piece.Length;
        _sink?.Payload(piece);
        return piece;
    }

    private void Drain()
    {
        for (var piece = _cursor.Read(long.MaxValue); !piece.IsEmpty; piece = _cursor.Read(long.MaxValue))
        {
            CheckLength();
            _sink?.Raw(piece);
        }
    }

    private void CheckLength()
    {
        if (_cursor.Fetched > _limits.MaxArchiveBytes)
            throw _faults.TooLarge($"the archive is longer than {_limits.MaxArchiveBytes} bytes");
    }
}
