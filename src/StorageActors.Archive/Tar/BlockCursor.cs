namespace StorageActors.Archive.Tar;

/// <summary>Walks over the bytes of a block source without copying them, except where 512 bytes straddle two blocks.</summary>
internal sealed class BlockCursor(IBlockSource source)
{
    internal const int HeaderSize = 512;

    private readonly byte[] _joined = new byte[HeaderSize];
    private ReadOnlyMemory<byte> _block;
    private ReadOnlyMemory<byte> _deferred;   // what follows a joined header; it came from the source already
    private int _offset;

    /// <summary>Bytes passed so far.</summary>
    internal long Position { get; private set; }

    /// <summary>Bytes the source has handed out so far.</summary>
    internal long Fetched { get; private set; }

    /// <summary>The next 512 bytes without passing them; shorter only at the end of the input.</summary>
    internal ReadOnlySpan<byte> PeekHeader()
    {
        var rest = _block.Length - _offset;
        if (rest >= HeaderSize) return _block.Span.Slice(_offset, HeaderSize);
        if (rest == 0)
        {
            if (!Fetch()) return default;
            if (_block.Length >= HeaderSize) return _block.Span[..HeaderSize];
            rest = _block.Length;
        }

        // Block.Span may be _joined itself (a second peek at the end of input): CopyTo handles the overlap.
        _block.Span.Slice(_offset, rest).CopyTo(_joined);
        var have = rest;
        var next = _deferred;
        _deferred = default;
        while (have < HeaderSize)
        {
            if (next.IsEmpty && (next = Take()).IsEmpty) break;
            var count = Math.Min(next.Length, HeaderSize - have);
            next.Span[..count].CopyTo(_joined.AsSpan(have));
            have += count;
            next = next[count..];
        }

        (_block, _offset, _deferred) = (_joined.AsMemory(0, have), 0, next);
        return _joined.AsSpan(0, have);
    }

    /// <summary>Passes bytes that were peeked at.</summary>
    internal void Advance(int count)
    {
        _offset += count;
        Position += count;
    }

    /// <summary>Passes and returns up to <paramref name="limit"/> of the bytes that lie together; empty only at the end of the input.</summary>
    internal ReadOnlySpan<byte> Read(long limit)
    {
        if (_offset == _block.Length && !Fetch()) return default;
        var count = (int)Math.Min(limit, _block.Length - _offset);
        var piece = _block.Span.Slice(_offset, count);
        Advance(count);
        return piece;
    }

    /// <summary>Passes and returns so many bytes if they lie together in the source's block, where they stay until the source is asked for the next.</summary>
    internal bool TryRead(long count, out ReadOnlyMemory<byte> bytes)
    {
        bytes = default;
        if (count == 0) return true;
        if ((_offset == _block.Length && !Fetch()) || count > _block.Length - _offset) return false;
        bytes = _block.Slice(_offset, (int)count);
        Advance((int)count);
        return true;
    }

    private bool Fetch()
    {
        _block = _deferred.IsEmpty ? Take() : _deferred;
        (_deferred, _offset) = (default, 0);
        return !_block.IsEmpty;
    }

    private ReadOnlyMemory<byte> Take()
    {
        var block = source.NextBlock();
        Fetched += block.Length;
        return block;
    }
}
