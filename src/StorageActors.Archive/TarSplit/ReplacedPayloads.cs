using Microsoft.Win32.SafeHandles;
using StorageActors.Archive.Digests;
using StorageActors.Linux;

namespace StorageActors.Archive.TarSplit;

/// <summary>Payloads of files that were replaced inside their own layer after their lines had been written: collected in a temporary
/// file, put into the record when it is complete.</summary>
internal sealed class ReplacedPayloads(Stream temporary) : IDisposable
{
    private readonly Dictionary<long, (long Offset, long Length)> _payloads = [];
    private readonly byte[] _buffer = new byte[256 << 10];

    /// <summary>Copies a file's content.</summary>
    internal void Add(long entryIndex, SafeFileHandle content)
    {
        var start = temporary.Position;
        long offset = 0;
        for (int count; (count = Libc.PRead(content, _buffer, offset)) > 0; offset += count)
            temporary.Write(_buffer, 0, count);
        _payloads[entryIndex] = (start, offset);
    }

    /// <summary>Writes the record anew, with the payloads as raw bytes in place of their file lines.</summary>
    /// <param name="record">The complete record; its content is replaced.</param>
    /// <param name="createTemporary">Makes the file that the new record grows in.</param>
    /// <param name="unlisted">Entries that have no file line.</param>
    internal void Rewrite(Stream record, Func<Stream> createTemporary, HashSet<long> unlisted)
    {
        using var replacement = createTemporary();
        record.Position = 0;
        using (var lines = new TarSplitLines(replacement))
        {
            using var reader = new TarSplitReader(record);
            for (long index = 0; reader.MoveNext();)
            {
                var entry = reader.Current;
                if (entry.Kind == TarSplitKind.Segment)
                {
                    lines.FlushSegment();   // the boundaries stay where they were
                    lines.AppendSegment(entry.Segment);
                    continue;
                }

                while (unlisted.Contains(index)) index++;
                if (entry.Size > 0 && _payloads.TryGetValue(index, out var payload)) Insert(lines, entry, payload);
                else lines.WriteFile(entry.Name, entry.Size, entry.Crc);
                index++;
            }
        }

        record.SetLength(0);
        record.Position = 0;
        replacement.Position = 0;
        replacement.CopyTo(record);
    }

    private void Insert(TarSplitLines lines, TarSplitEntry entry, (long Offset, long Length) payload)
    {
        temporary.Position = payload.Offset;
        ulong crc = 0;
        for (var rest = payload.Length; rest > 0;)
        {
            var count = temporary.Read(_buffer, 0, (int)Math.Min(rest, _buffer.Length));
            if (count == 0) throw new EndOfStreamException("a temporary file became shorter");
            crc = Crc64.Append(crc, _buffer.AsSpan(0, count));
            lines.AppendSegment(_buffer.AsSpan(0, count));
            rest -= count;
        }

        if (payload.Length != entry.Size || crc != entry.Crc)
            throw new TarSplitException("the replaced file is not what the archive had", EntryName.Printable(entry.Name));
    }

    /// <inheritdoc/>
    public void Dispose() => temporary.Dispose();
}
