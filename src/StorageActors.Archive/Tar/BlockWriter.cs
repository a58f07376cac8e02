using System.Runtime.ExceptionServices;
using StorageActors.Archive.Digests;
using StorageActors.Archive.Processors;

namespace StorageActors.Archive.Tar;

/// <summary>
/// Collects output in large blocks that callers fill in place. Full ones are written by a thread beside the caller's, which starts with the first and ends with
/// <see cref="Flush"/>; what fits into one block needs none.
/// </summary>
/// <remarks>
/// Blocks are digested in order by whichever of the two threads has nothing better to do: the other one when all that is made is written, the caller when no block
/// is free. What a write costs varies by a factor of three with the memory that the page cache gets, and so neither thread waits while there is something to do.
/// </remarks>
/// <param name="output">Receives the blocks, of one thread at a time; neither flushed nor disposed.</param>
/// <param name="hasher">Digests them, or null; the caller's again after <see cref="Flush"/>.</param>
internal sealed class BlockWriter(Stream output, Sha256Hasher? hasher = null) : IDisposable
{
    /// <summary>Blocks at a time, the one that is being filled among them.</summary>
    internal const int Capacity = 4;

    private static readonly BlockPool Pool = new(1 << 20, kept: 4 * Capacity);

    private readonly object _gate = new();
    private readonly byte[]?[] _blocks = new byte[]?[Capacity];
    private readonly int[] _lengths = new int[Capacity];
    private byte[]? _block;
    private int _used;
    private Thread? _thread;

    // Numbers of blocks so far, under the gate: digested and written ones are at most those made.
    private long _made;
    private long _digested;
    private long _written;

    // Under the gate.
    private bool _digesting;
    private bool _isEnding;
    private bool _isAbandoned;
    private ExceptionDispatchInfo? _failure;

    /// <summary>Bytes written since the beginning.</summary>
    internal long Position { get; private set; }

    /// <summary>The free end of the block, at least <paramref name="minimum"/> bytes; followed by <see cref="Advance"/>.</summary>
    internal Span<byte> Free(int minimum = 1)
    {
        _block ??= TakeFree();
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
        if (_thread is not null)
        {
            if (_used > 0) Publish();
            HelpToDigest();
            End(abandon: false);
        }

        _failure?.Throw();
        if (_used == 0) return;
        hasher?.Append(_block.AsSpan(0, _used));
        output.Write(_block.AsSpan(0, _used));
        _used = 0;
    }

    /// <summary>Ends the thread; what was not flushed may be lost.</summary>
    public void Dispose()
    {
        End(abandon: true);
        _block = null;
        foreach (ref var block in _blocks.AsSpan())
        {
            if (block is not null) Pool.Return(block);
            block = null;
        }
    }

    private void HandOver()
    {
        Publish();
        if (_thread is null)
        {
            _isEnding = false;
            _thread = new Thread(PassBlocks) { IsBackground = true, Name = "storage-actors-archive" };
            _thread.Start();
        }

        _block = TakeFree();
    }

    /// <summary>The block that is being filled belongs to the other thread from now on.</summary>
    private void Publish()
    {
        lock (_gate)
        {
            _failure?.Throw();
            _lengths[_made % Capacity] = _used;
            _made++;
            if (hasher is null) _digested = _made;
            Monitor.PulseAll(_gate);
        }

        (_block, _used) = (null, 0);
    }

    /// <summary>Digests as long as no block is free.</summary>
    private byte[] TakeFree()
    {
        while (true)
        {
            long digest;
            lock (_gate)
            {
                _failure?.Throw();
                if (_made - Math.Min(_digested, _written) < Capacity) return _blocks[_made % Capacity] ??= Pool.Rent();
                if (!TryClaimDigest(out digest))
                {
                    Monitor.Wait(_gate);
                    continue;
                }
            }

            DigestClaimed(digest);
        }
    }

    private void HelpToDigest()
    {
        while (true)
        {
            long digest;
            lock (_gate)
            {
                if (_failure is not null || !TryClaimDigest(out digest)) return;
            }

            DigestClaimed(digest);
        }
    }

    private void PassBlocks()
    {
        try
        {
            while (Next() is { } job)
            {
                if (job.IsWrite) WriteNext(job.Block);
                else DigestClaimed(job.Block);
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

    /// <summary>What the other thread does next; null at the end.</summary>
    private (long Block, bool IsWrite)? Next()
    {
        lock (_gate)
        {
            while (!_isAbandoned)
            {
                if (_written < _made) return (_written, true);
                if (TryClaimDigest(out var digest)) return (digest, false);
                if (_isEnding) return null;
                Monitor.Wait(_gate);
            }

            return null;
        }
    }

    private void WriteNext(long block)
    {
        var slot = block % Capacity;
        output.Write(_blocks[slot].AsSpan(0, _lengths[slot]));
        lock (_gate)
        {
            _written++;
            Monitor.PulseAll(_gate);
        }
    }

    private bool TryClaimDigest(out long block)
    {
        block = _digested;
        if (_digesting || _digested == _made) return false;
        return _digesting = true;
    }

    private void DigestClaimed(long block)
    {
        var slot = block % Capacity;
        using (ProcessorTurn.Take()) hasher!.Append(_blocks[slot].AsSpan(0, _lengths[slot]));
        lock (_gate)
        {
            _digesting = false;
            _digested++;
            Monitor.PulseAll(_gate);
        }
    }

    private void End(bool abandon)
    {
        if (_thread is null) return;
        lock (_gate)
        {
            (_isEnding, _isAbandoned) = (true, abandon);
            Monitor.PulseAll(_gate);
        }

        _thread.Join();
        _thread = null;
    }
}
