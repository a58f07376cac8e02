using System.Buffers;
using Microsoft.Win32.SafeHandles;

namespace StorageActors.Linux;

/// <summary>
/// Reads a directory's names without allocating for each, in the kernel's order, without "." and "..". The descriptor
/// stays the caller's.
/// </summary>
internal sealed class DirectoryReader : IDisposable
{
    private const int BufferSize = 64 * 1024;

    private readonly SafeFileHandle _directory;
    private byte[]? _buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
    private int _position;
    private int _length;

    /// <summary>Reads on from where <paramref name="directory"/> stands: from the start when it was just opened.</summary>
    internal DirectoryReader(SafeFileHandle directory) => _directory = directory;

    /// <summary>The next entry; false at the end.</summary>
    internal bool TryRead(out DirectoryEntry entry)
    {
        var buffer = _buffer ?? throw new ObjectDisposedException(nameof(DirectoryReader));
        while (true)
        {
            var records = new DirectoryRecords(buffer.AsSpan(_position, _length - _position));
            if (records.TryRead(out entry))
            {
                _position = _length - records.Remaining;
                return true;
            }
            if (!Fill(buffer)) return false;
        }
    }

    /// <summary>Starts again at the first name.</summary>
    internal void Rewind()
    {
        (_position, _length) = (0, 0);
        Libc.LSeek(_directory, 0, SeekFrom.Start);
    }

    public void Dispose()
    {
        if (_buffer is not null) ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = null;
    }

    private bool Fill(byte[] buffer)
    {
        var errno = Libc.TryGetDents64(_directory, buffer, out _length);
        _position = 0;
        return errno == Errno.None ? _length > 0 : throw Libc.Failure("getdents64", _directory, errno);
    }
}
