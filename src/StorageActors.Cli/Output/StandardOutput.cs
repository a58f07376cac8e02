using Microsoft.Win32.SafeHandles;
using StorageActors.Linux;

namespace StorageActors.Cli.Output;

/// <summary>
/// Descriptor 1 by write(2). The console's own stream takes a reader that has gone for success, and a file stream writes at offsets of its
/// own instead of where the descriptor stands.
/// </summary>
/// <param name="mayBeLeft">Whether a reader that goes has seen what it wanted: the rest is dropped then. Otherwise that is a failure.</param>
internal sealed class StandardOutput(bool mayBeLeft = false) : Stream
{
    /// <summary>What is said of a failure here beside its cause.</summary>
    internal const string Detail = "that is the standard output";

    private readonly SafeFileHandle _file = new(1, ownsHandle: false);
    private bool _isLeft;

    public override bool CanWrite => true;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <exception cref="LinuxException">EPIPE when nobody reads any more, ENOSPC, and so on.</exception>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (_isLeft) return;
        try { Libc.WriteAll(_file, buffer); }
        catch (LinuxException e) when (mayBeLeft && e.Errno == Errno.EPIPE) { _isLeft = true; }
        catch (LinuxException e) when (e.Errno != Errno.EPIPE) { throw new LinuxException(e.Operation, e.Path, e.Errno, detail: Detail); }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        // A pipe that nobody empties blocks its writer, and a signal must still be heard.
        var copy = buffer.ToArray();
        return new ValueTask(Task.Run(() => Write(copy), CancellationToken.None).WaitAsync(cancellationToken));
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush()
    {
        // Nothing is kept back.
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
