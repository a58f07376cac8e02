using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Digests;
using StorageActors.Linux;

namespace StorageActors.Archive.Tar;

/// <summary>
/// Writes an archive: the same entries always give the same bytes. ustar headers, with a PAX header in front only where ustar cannot
/// hold the entry. Headers and payloads are made in place in one large output block. Not safe for several threads.
/// </summary>
internal sealed class TarWriter : IDisposable
{
    private const int BlockSize = BlockCursor.HeaderSize;

    private readonly BlockWriter _out;
    private readonly HeaderEncoder _encoder;
    private long _remaining;
    private int _padding;

    /// <param name="output">Receives the archive in pieces of 1 MiB; neither flushed nor disposed.</param>
    /// <param name="hasher">Digests the archive on the way, or null.</param>
    /// <param name="nanoseconds">Whether times keep their fractions (in PAX headers); else they are whole seconds, which all tools read.</param>
    internal TarWriter(Stream output, Sha256Hasher? hasher = null, bool nanoseconds = false)
    {
        _out = new BlockWriter(output, hasher);
        _encoder = new HeaderEncoder(nanoseconds);
    }

    /// <summary>Bytes of archive made so far.</summary>
    internal long Position => _out.Position;

    /// <summary>Begins an entry. Its payload, if <see cref="TarItem.Size"/> is not 0, is to be written next, completely.</summary>
    internal void WriteHeader(in TarItem item)
    {
        RequireComplete();
        if (item.Size < 0 || (item.Size != 0 && item.Type != TarEntryType.RegularFile))
            throw new ArgumentException("only regular files have a payload", nameof(item));
        var records = _encoder.EncodeRecords(item);
        if (!records.IsEmpty)
        {
            _encoder.EncodePaxHeader(item, records.Length, _out.Free(BlockSize)[..BlockSize]);
            _out.Advance(BlockSize);
            _out.Write(records);
            _out.WriteZeros(PaddingOf(records.Length));
        }

        _encoder.EncodeHeader(item, _out.Free(BlockSize)[..BlockSize]);
        _out.Advance(BlockSize);
        (_remaining, _padding) = (item.Size, PaddingOf(item.Size));
    }

    /// <summary>Writes a part of the current entry's payload.</summary>
    internal void WritePayload(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > _remaining) throw new ArgumentException("more payload than the header announced", nameof(bytes));
        _out.Write(bytes);
        Passed(bytes.Length);
    }

    /// <summary>Writes the rest of the current entry's payload from a file, read from its beginning straight into the output. A file that has grown is
    /// cut at the announced size; one that has shrunk is a <see cref="FileChangedException"/>, and the archive is then worthless.</summary>
    internal void WritePayload(SafeFileHandle file)
    {
        for (long offset = 0; _remaining > 0;)
        {
            var free = _out.Free();
            var count = Libc.PRead(file, free[..(int)Math.Min(free.Length, _remaining)], offset);
            if (count == 0) throw new FileChangedException(offset + _remaining, offset);
            _out.Advance(count);
            Passed(count);
            offset += count;
        }
    }

    /// <summary>Ends the archive with two zero blocks and hands the last bytes to the stream.</summary>
    internal void Finish()
    {
        RequireComplete();
        _out.WriteZeros(2 * BlockSize);
        _out.Flush();
    }

    /// <summary>Lets go of what writes; an unfinished archive is worthless.</summary>
    public void Dispose() => _out.Dispose();

    private void Passed(int count)
    {
        _remaining -= count;
        if (_remaining > 0 || _padding == 0) return;
        _out.WriteZeros(_padding);
        _padding = 0;
    }

    private void RequireComplete()
    {
        if (_remaining > 0) throw new InvalidOperationException($"{_remaining} bytes of the current entry's payload were not written");
    }

    private static int PaddingOf(long size) => (int)(-size & (BlockSize - 1));
}
