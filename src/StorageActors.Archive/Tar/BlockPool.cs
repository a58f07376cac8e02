using StorageActors.Linux;

namespace StorageActors.Archive.Tar;

/// <summary>
/// Blocks of memory of one size that pass from one archive to the next, so that nobody pays for new ones. Their content is anything. What nobody has used for a while keeps its
/// place among the addresses alone: its memory goes back to the system, without waiting for a garbage collection, which an engine that rests has none of.
/// </summary>
internal sealed class BlockPool
{
    /// <summary>Longer than who applies one small layer after the other pauses.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(10);

    private readonly int _blockSize;
    private readonly int _kept;
    private readonly Lock _gate = new();
    private readonly List<byte[]> _idle = []; // The one that was used last is the next to be used; the first _cold of them have no memory.
    private readonly ITimer _timer;
    private int _cold;
    private int _untouched; // So many, from the first, nobody has used since the last look.
    private int _away; // Those that give their memory back at this moment.
    private bool _isWatched;

    /// <param name="blockSize">Bytes in a block.</param>
    /// <param name="kept">How many are kept at most while nobody uses them.</param>
    /// <param name="time">Says when to look.</param>
    internal BlockPool(int blockSize, int kept, TimeProvider? time = null)
    {
        (_blockSize, _kept) = (blockSize, kept);
        // Whoever happens to be the first leaves nothing of his here.
        using (ExecutionContext.IsFlowSuppressed() ? default(AsyncFlowControl?) : ExecutionContext.SuppressFlow())
            _timer = (time ?? TimeProvider.System).CreateTimer(static pool => ((BlockPool)pool!).Tend(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>How many blocks are kept now, and how many of them have memory.</summary>
    internal (int Idle, int Warm) Count
    {
        get { lock (_gate) return (_idle.Count, _idle.Count - _cold); }
    }

    /// <summary>A block for <see cref="Return"/>. Pinned: system calls work on it, and large ones need not move anyway.</summary>
    internal byte[] Rent()
    {
        lock (_gate)
        {
            if (_idle is [.., var block])
            {
                _idle.RemoveAt(_idle.Count - 1);
                (_cold, _untouched) = (Math.Min(_cold, _idle.Count), Math.Min(_untouched, _idle.Count));
                return block;
            }
        }

        return GC.AllocateUninitializedArray<byte>(_blockSize, pinned: true);
    }

    /// <summary>Gives a block back that nobody uses any more.</summary>
    internal void Return(byte[] block)
    {
        lock (_gate)
        {
            if (_idle.Count + _away >= _kept) return;
            _idle.Add(block);
            if (_isWatched) return;
            (_isWatched, _untouched) = (true, _idle.Count);
            Watch();
        }
    }

    /// <summary>One look: the next one is for this one to ask for. What was stopped for longer would otherwise have two looks at once.</summary>
    private void Watch() => _timer.Change(Quiet, Timeout.InfiniteTimeSpan);

    private void Tend()
    {
        byte[][] given;
        lock (_gate)
        {
            given = _untouched > _cold ? [.. _idle[_cold.._untouched]] : [];
            _idle.RemoveRange(_cold, given.Length);
            _away = given.Length;
        }

        foreach (var block in given) Libc.Discard(block); // Nobody has them meanwhile.
        lock (_gate)
        {
            _idle.InsertRange(0, given);
            _cold += given.Length;
            _away = 0;
            _untouched = _idle.Count;
            _isWatched = _cold < _idle.Count;
            if (_isWatched) Watch();
        }
    }
}
