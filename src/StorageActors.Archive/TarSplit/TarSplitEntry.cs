using StorageActors.Archive.Tar;

namespace StorageActors.Archive.TarSplit;

/// <summary>The two kinds of lines; the values are the file format's.</summary>
internal enum TarSplitKind
{
    /// <summary>The content of a file of the layer.</summary>
    File = 1,

    /// <summary>Bytes of the archive as they are.</summary>
    Segment = 2,
}

/// <summary>The line a <see cref="TarSplitReader"/> stands on; one object, refilled.</summary>
internal sealed class TarSplitEntry
{
    /// <summary>Which kind the line is of.</summary>
    internal TarSplitKind Kind { get; set; }

    /// <summary>A file's name as the archive has it.</summary>
    internal ReadOnlySpan<byte> Name => NameBuffer.Span;

    /// <summary>Length of the file's content; 0 when assembly needs nothing from the file.</summary>
    internal long Size { get; set; }

    /// <summary>CRC-64 of the file's content.</summary>
    internal ulong Crc { get; set; }

    /// <summary>A segment's bytes.</summary>
    internal ReadOnlySpan<byte> Segment => PayloadBuffer.Span;

    internal ByteBuffer NameBuffer { get; } = new();

    internal ByteBuffer PayloadBuffer { get; } = new();


    internal void Reset()
    {
        (Kind, Size, Crc) = (default, 0, 0);
        NameBuffer.Clear();
        PayloadBuffer.Clear();
    }
}
