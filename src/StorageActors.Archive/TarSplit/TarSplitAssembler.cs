using StorageActors.Archive.Digests;
using StorageActors.Archive.Tar;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Archive.TarSplit;

/// <summary>Makes a layer's archive again out of its recorded structure and its files.</summary>
internal static class TarSplitAssembler
{
    /// <summary>Writes the archive and returns its digest and length.</summary>
    /// <param name="record">The tar-split file.</param>
    /// <param name="files">The layer's files.</param>
    /// <param name="output">Receives the archive in pieces of 1 MiB; <see cref="Stream.Null"/> to verify only.</param>
    /// <param name="expected">The digest it must have, or null.</param>
    /// <exception cref="TarSplitException">A file is not what the archive had (it names the file), the record is damaged, or the digest
    /// differs. What was written so far is worthless then.</exception>
    internal static (Digest Digest, long Length) Assemble(Stream record, IPayloadSource files, Stream output, Digest? expected = null)
    {
        using var hasher = new Sha256Hasher();
        using var reader = new TarSplitReader(record);
        using var writer = new BlockWriter(output, hasher);
        while (reader.MoveNext())
        {
            if (reader.Current.Kind == TarSplitKind.Segment) writer.Write(reader.Current.Segment);
            else if (reader.Current.Size > 0) CopyFile(reader.Current, files, writer);
        }

        writer.Flush();
        var digest = Digest.FromBytes(hasher.Finish());
        if (expected is { } wanted && digest != wanted)
            throw new TarSplitException($"the archive has digest {digest} where {wanted} was recorded");
        return (digest, writer.Position);
    }

    private static void CopyFile(TarSplitEntry entry, IPayloadSource files, BlockWriter writer)
    {
        using var file = files.Open(entry.Name);
        ulong crc = 0;
        for (long offset = 0; offset < entry.Size;)
        {
            var free = writer.Free();
            var target = free[..(int)Math.Min(free.Length, entry.Size - offset)];
            var count = Libc.PRead(file, target, offset);
            if (count == 0)
                throw new TarSplitException($"the file has {offset} bytes where the archive had {entry.Size}", EntryName.Printable(entry.Name));
            crc = Crc64.Append(crc, target[..count]);
            writer.Advance(count);
            offset += count;
        }

        if (crc != entry.Crc) throw new TarSplitException("the file's content is not what the archive had", EntryName.Printable(entry.Name));
    }
}
