namespace StorageActors.Archive.Tar;

/// <summary>What is wrong with an archive.</summary>
public enum TarFault
{
    /// <summary>The bytes are not a valid archive.</summary>
    Malformed,

    /// <summary>The archive ends before an entry does.</summary>
    Truncated,

    /// <summary>The archive is larger, in some respect, than this store accepts.</summary>
    LimitExceeded,
}

/// <summary>An archive cannot be read. It says where: which entry, at which byte of the uncompressed archive.</summary>
public sealed class TarFormatException : IOException
{
    /// <summary>Describes a fault at a place.</summary>
    /// <param name="fault">The kind of fault.</param>
    /// <param name="entryNumber">Number of the entry, the first is 1.</param>
    /// <param name="offset">Byte offset in the uncompressed archive.</param>
    /// <param name="reason">What was found, and what was expected.</param>
    public TarFormatException(TarFault fault, long entryNumber, long offset, string reason)
        : base($"tar entry {entryNumber} at byte {offset}: {reason}") =>
        (Fault, EntryNumber, Offset, Reason) = (fault, entryNumber, offset, reason);

    /// <summary>The kind of fault.</summary>
    public TarFault Fault { get; }

    /// <summary>Number of the entry, the first is 1.</summary>
    public long EntryNumber { get; }

    /// <summary>Byte offset in the uncompressed archive.</summary>
    public long Offset { get; }

    /// <summary>What was found, and what was expected.</summary>
    public string Reason { get; }
}
