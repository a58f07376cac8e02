using StorageActors.Archive.Apply;

namespace StorageActors.Archive.Diff;

/// <summary>Tells how many bytes are written so far, and of how many entries, if the writer counts them here. A target that can be begun again can be so through this.</summary>
internal sealed class ObservedStream(Stream target, IExtractionObserver observer) : Stream
{
    private long _written;
    private long _entries;

    /// <inheritdoc/>
    public override bool CanRead => false;

    /// <inheritdoc/>
    public override bool CanSeek => target.CanSeek;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override long Length => target.Length;

    /// <inheritdoc/>
    public override long Position
    {
        get => target.Position;
        set => target.Position = value;
    }

    /// <summary>The target itself when nobody wants to know.</summary>
    internal static Stream Of(Stream target, IExtractionObserver? observer) => observer is null ? target : new ObservedStream(target, observer);

    /// <summary>One more entry is on its way; what is written at this moment may be of one before. From any thread.</summary>
    internal void CountEntry() => Interlocked.Increment(ref _entries);

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        target.Write(buffer);
        _written += buffer.Length;
        observer.Advanced(_written, Volatile.Read(ref _entries));
    }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override void WriteByte(byte value) => Write([value]);

    /// <inheritdoc/>
    public override void SetLength(long value)
    {
        target.SetLength(value);
        (_written, _entries) = (0, 0); // It is begun again.
    }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => target.Seek(offset, origin);

    /// <inheritdoc/>
    public override void Flush() => target.Flush();

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
