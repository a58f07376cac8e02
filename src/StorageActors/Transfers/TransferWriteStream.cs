namespace StorageActors.Transfers;

/// <summary>
/// The end of a transfer that is written. Disposing it is the end of the bytes; <see cref="Abort"/> says that they are not all. Writing fails with
/// <see cref="IOException"/> once nobody reads, or it was given up by somebody else.
/// </summary>
internal sealed class TransferWriteStream(TransferPipe pipe, CancellationToken stop) : Stream
{
    private int _ended;
    private Exception? _reason;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Gives up: the reader gets <paramref name="reason"/> instead of an end.</summary>
    internal void Abort(Exception reason) => End(reason);

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        ThrowIfUnread();
        try
        {
            buffer.CopyTo(pipe.Writer.GetSpan(buffer.Length));
            pipe.Writer.Advance(buffer.Length);
            var flushing = pipe.Writer.FlushAsync(stop);
            var flushed = flushing.IsCompletedSuccessfully ? flushing.GetAwaiter().GetResult() : flushing.AsTask().GetAwaiter().GetResult();
            if (flushed.IsCompleted) ThrowIfUnread();
        }
        catch (InvalidOperationException) when (_ended != 0)
        {
            ThrowIfUnread(); // It was given up meanwhile.
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ThrowIfUnread();
        try
        {
            var flushed = await pipe.Writer.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
            if (flushed.IsCompleted) ThrowIfUnread();
        }
        catch (InvalidOperationException) when (_ended != 0)
        {
            ThrowIfUnread(); // It was given up meanwhile.
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) End(null);
        base.Dispose(disposing);
    }

    private void End(Exception? reason)
    {
        Interlocked.CompareExchange(ref _reason, reason, null);
        if (Interlocked.Exchange(ref _ended, 1) == 0) pipe.EndWriting(reason);
    }

    private void ThrowIfUnread()
    {
        if (_reason is { } reason) throw new IOException(reason.Message, reason);
        ObjectDisposedException.ThrowIf(_ended != 0, this);
        if (pipe.Gone is { } gone) throw new IOException(gone.Message, gone);
    }
}
