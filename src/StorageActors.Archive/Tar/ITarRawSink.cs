namespace StorageActors.Archive.Tar;

/// <summary>
/// Sees every byte that a <see cref="TarReader"/> passes, in archive order: what tar-split needs to rebuild the archive.
/// </summary>
/// <remarks>For each entry: <see cref="Raw"/> (padding and headers), <see cref="BeginEntry"/>, <see cref="Payload"/>…,
/// <see cref="EndEntry"/>. After the last entry only <see cref="Raw"/>: end blocks and whatever follows them.</remarks>
internal interface ITarRawSink
{
    /// <summary>Bytes that belong to no payload: headers, extended headers, sparse maps, padding, end blocks, trailing data.</summary>
    void Raw(ReadOnlySpan<byte> bytes);

    /// <summary>The headers of an entry are complete; its payload follows. <paramref name="entry"/> is reused by the reader.</summary>
    void BeginEntry(TarEntry entry);

    /// <summary>A piece of the current entry's payload as it lies in the archive (packed, for a sparse entry).</summary>
    void Payload(ReadOnlySpan<byte> bytes);

    /// <summary>The payload of the current entry has passed completely.</summary>
    void EndEntry();

    /// <summary>The end marker, or the end of the input in its place, has passed; <see cref="Raw"/> may bring more.</summary>
    void EndEntries()
    {
    }
}
