using System.Runtime.ExceptionServices;
using StorageActors.Archive.Digests;

namespace StorageActors.Archive.Tar;

/// <summary>
/// Collects output in large blocks that callers fill in place. Full ones are hashed and written by a thread beside the caller's, which starts with the first
/// and ends with <see cref="Flush"/>; what fits into one block needs none.
/// </summary>
/// <param name="output">Receives the blocks, of one thread at a time; neither flushed nor disposed.</param>
/// <param name="hasher">Digests them, or null; the caller's again after <see cref="Flush"/>.</param>
internal sealed class BlockWriter(Stream output, Sha256Hasher? hasher = null) : IDisposable
{
    private readonly object _gate = new();
    private byte[] _block = NewBlock();
    private byte[]? _spare;
    private int _used;
    private Thread? _thread;

    // Under the gate.
    private byte[]? _handedOver;
    private int _handedLength;
    private bool _isEnding;
    private ExceptionDispatchInfo? _failure;

    /// <summary>Bytes written since the beginning.</summary>
    internal long Position { get; private set; }

    /// <summary>The free end of the block, at least <paramref name="minimum"/> bytes; followed by <see cref="Advance"/>.</summary>
    internal Span<byte> Free(int minimum = 1)
    {
        if (_block.Length - _used < minimum) HandOver();
        return _block.AsSpan(_used);
    }

    /// <summary>Makes the first bytes of <see cref="Free"/> part of the output.</summary>
    internal void Advance(int count)
    {
        _used += count;
        Position += count;
    }

    internal void Write(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var free = Free();
            var count = Math.Min(free.Length, bytes.Length);
            bytes[..count].CopyTo(free);
            Advance(count);
            bytes = bytes[count..];
        }
    }

    internal void WriteZeros(int count)
    {
        Free(count)[..count].Clear();
        Advance(count);
    }

    /// <summary>Returns when the stream has everything; does not flush it.</summary>
    internal void Flush()
    {
        End();
        _failure?.Throw();
        if (_used > 0) Pass(_block.AsSpan(0, _used));
        _used = 0;
    }

    /// <summary>Ends the thread; what was not flushed may be lost.</summary>
    public void Dispose() => End();

    private static byte[] NewBlock() => GC.AllocateUninitializedArray<byte>(StreamBlockSource.DefaultBlockSize);

    private void HandOver()
    {
        lock (_gate)
        {
            while (_handedOver is not null && _failure is null) Monitor.Wait(_gate);
            _failure?.Throw();
            (_handedOver, _handedLength) = (_block, _used);
            Monitor.PulseAll(_gate);
        }

        (_block, _spare) = (_spare ?? NewBlock(), _block);
        _used = 0;
        if (_thread is not null) return;
        _isEnding = false;
        _thread = new Thread(PassBlocks) { IsBackground = true, Name = "storage-actors-archive" };
        _thread.Start();
    }

    private void PassBlocks()
    {
        try
        {
            while (Next() is { } block)
            {
                Pass(block.Span);
                lock (_gate)
                {
                    _handedOver = null;
                    Monitor.PulseAll(_gate);
                }
            }
        }
        catch (Exception e)
        {
            lock (_gate)
            {
                _failure = ExceptionDispatchInfo.Capture(e);
                Monitor.PulseAll(_gate);
            }
        }
    }

    private ReadOnlyMemory<byte>? Next()
    {
        lock (_gate)
        {
            while (_handedOver is null && !_isEnding) Monitor.Wait(_gate);
            return _handedOver?.AsMemory(0, _handedLength);
        }
    }

    private void Pass(ReadOnlySpan<byte> bytes)
    {
        hasher?.Append(bytes);
        output.Write(bytes);
    }

    private void End()
    {
        if (_thread is null) return;
        lock (_gate)
        {
            _isEnding = true;
            Monitor.PulseAll(_gate);
        }

        _thread.Join();
        _thread = null;
    }
}
