using StorageActors.Archive.Digests;
using StorageActors.Archive.Tar;

namespace StorageActors.Archive.TarSplit;

/// <summary>Goes over the entries of an archive by its recorded structure alone, without the layer's files.</summary>
internal sealed class TarSplitHeaders : IDisposable
{
    private readonly RecordSource _source;
    private readonly TarReader _reader;

    /// <param name="record">The tar-split file; not disposed.</param>
    internal TarSplitHeaders(Stream record)
    {
        _source = new RecordSource(record);
        _reader = new TarReader(_source);
    }

    /// <summary>The entry <see cref="MoveNext"/> came to.</summary>
    internal TarEntry Current => _reader.Current;

    /// <summary>CRC-64 of the current entry's content as it lies in the archive; null when it has none.</summary>
    internal ulong? Crc { get; private set; }

    /// <summary>Goes to the next entry; false at the end.</summary>
    internal bool MoveNext()
    {
        if (!_reader.MoveNext()) return false;
        _source.FileCrc = null;
        Crc = null;
        if (Current.PackedSize == 0) return true;
        var piece = _reader.ReadPayload();   // makes the source come to the file's line
        Crc = _source.FileCrc ?? Sum(piece);
        return true;
    }

    /// <summary>The record keeps the payload itself.</summary>
    private ulong Sum(ReadOnlySpan<byte> piece)
    {
        ulong crc = 0;
        for (; !piece.IsEmpty; piece = _reader.ReadPayload()) crc = Crc64.Append(crc, piece);
        return crc;
    }

    /// <inheritdoc/>
    public void Dispose() => _source.Dispose();

    /// <summary>The archive with zeros for the content of files.</summary>
    private sealed class RecordSource(Stream record) : IBlockSource, IDisposable
    {
        private static readonly byte[] Zeros = new byte[1 << 20];

        private readonly TarSplitReader _reader = new(record);
        private long _zeros;

        internal ulong? FileCrc { get; set; }

        public ReadOnlyMemory<byte> NextBlock()
        {
            while (_zeros == 0)
            {
                if (!_reader.MoveNext()) return default;
                if (_reader.Current.Kind == TarSplitKind.Segment)
                {
                    if (_reader.Current.Segment.IsEmpty) continue;
                    return _reader.Current.PayloadBuffer.Memory;
                }

                if (_reader.Current.Size > 0) (_zeros, FileCrc) = (_reader.Current.Size, _reader.Current.Crc);
            }

            var count = (int)Math.Min(_zeros, Zeros.Length);
            _zeros -= count;
            return Zeros.AsMemory(0, count);
        }

        public void Dispose() => _reader.Dispose();
    }
}
