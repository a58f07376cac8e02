namespace StorageActors.UnitTests.Archive.Apply;

/// <summary>Does something at a certain byte.</summary>
internal sealed class InterruptedStream(byte[] content, int at, Action action) : Stream
{
    private int _position;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => _position; set => throw new NotSupportedException(); }

    public override int Read(byte[] buffer, int offset, int count)
    {
        if (_position < at && _position + count >= at)
        {
            count = at - _position;
        }
        else if (_position == at)
        {
            action();
        }

        count = Math.Min(count, content.Length - _position);
        content.AsSpan(_position, count).CopyTo(buffer.AsSpan(offset));
        _position += count;
        return count;
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
