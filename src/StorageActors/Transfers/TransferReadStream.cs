using System.Buffers;

namespace StorageActors.Transfers;

/// <summary>
/// The end of a transfer that is read. Blocking reads are for a thread of the engine, asynchronous ones for a host. Disposing it before the end tells
/// the writer that nobody reads any more.
/// </summary>
internal sealed class TransferReadStream(TransferPipe pipe, CancellationToken stop) : Stream
{
    private int _disposed;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        // A pipe completes a waiting read from the writer's thread, so waiting here takes no thread of the pool.
        if (!pipe.Reader.TryRead(out var result)) result = pipe.Reader.ReadAsync(stop).AsTask().GetAwaiter().GetResult();
        stop.ThrowIfCancellationRequested();
        return Take(result.Buffer, buffer);
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var result = await pipe.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        return Take(result.Buffer, buffer.Span);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing && Interlocked.Exchange(ref _disposed, 1) == 0)
            pipe.EndReading(new IOException($"transfer {pipe.Id}: nobody reads it any more"));
        base.Dispose(disposing);
    }

    private int Take(ReadOnlySequence<byte> available, Span<byte> buffer)
    {
        var count = (int)Math.Min(available.Length, buffer.Length);
        available.Slice(0, count).CopyTo(buffer);
        pipe.Reader.AdvanceTo(available.GetPosition(count));
        return count;
    }
}
