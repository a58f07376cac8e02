namespace StorageActors.Archive.Tar;

/// <summary>Bounds against hostile archives. Exceeding one is a <see cref="TarFormatException"/> of kind
/// <see cref="TarFault.LimitExceeded"/>, before memory of that size is taken.</summary>
internal sealed record TarLimits
{
    /// <summary>Bounds that no honest layer meets.</summary>
    internal static TarLimits Default { get; } = new();

    /// <summary>Entries in one archive.</summary>
    internal long MaxEntries { get; init; } = 10_000_000;

    /// <summary>Bytes of PAX records that apply to one entry, and of all global records together.</summary>
    internal int MaxPaxBytes { get; init; } = 1 << 20;

    /// <summary>Bytes of a GNU long name or long link target.</summary>
    internal int MaxLongNameBytes { get; init; } = 64 << 10;

    /// <summary>Bytes of names and values of all extended attributes of one entry.</summary>
    internal int MaxXattrBytes { get; init; } = 1 << 20;

    /// <summary>Extended attributes of one entry. (A kernel lists at most 64 KiB of names.)</summary>
    internal int MaxXattrs { get; init; } = 4096;

    /// <summary>Runs of data in one sparse entry.</summary>
    internal int MaxSparseExtents { get; init; } = 1 << 20;

    /// <summary>Length of the uncompressed archive.</summary>
    internal long MaxArchiveBytes { get; init; } = long.MaxValue;
}
