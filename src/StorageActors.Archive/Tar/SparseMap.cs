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
        if (entry.Size < 0) throw faults.Malformed("a sparse file with a negative real size");
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
