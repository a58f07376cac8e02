namespace StorageActors.Archive.Tar;

/// <summary>Makes exceptions that say where the reader stands.</summary>
internal sealed class TarFaults(BlockCursor cursor, TarEntry entry)
{
    internal TarFormatException Malformed(string reason) => At(TarFault.Malformed, entry.Offset, reason);

    internal TarFormatException TooLarge(string reason) => At(TarFault.LimitExceeded, entry.Offset, reason);

    internal TarFormatException Truncated(string inside) => At(TarFault.Truncated, cursor.Position, $"the archive ends inside {inside}");

    private TarFormatException At(TarFault fault, long offset, string reason) => new(fault, entry.Index + 1, offset, reason);
}
