using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;

namespace StorageActors.Cli.Output;

/// <summary>
/// Descriptor 0 (or a pipe that was named) by read(2). A read of a pipe cannot be called off; so each one runs on a thread of the pool, with
/// a buffer of its own, and whoever stops waiting leaves it behind.
/// </summary>
internal sealed class StandardInput(SafeFileHandle file) : Stream
{
    private readonly byte[] _block = new byte[256 * 1024];
    private Task<int>? _reading;

    internal StandardInput()
        : this(new SafeFileHandle(0, ownsHandle: false))
    {
    }

    public override bool CanRead => true;

    public override bool CanWrite => false;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var wanted = Math.Min(buffer.Length, _block.Length);
        _reading ??= Task.Run(() => Libc.Read(file, _block.AsSpan(0, wanted)), CancellationToken.None);
        var count = await _reading.WaitAsync(cancellationToken);
        _reading = null;
        _block.AsSpan(0, count).CopyTo(buffer.Span);
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => Libc.Read(file, buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
