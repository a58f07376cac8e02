using System.Runtime.ExceptionServices;
using StorageActors.Archive.Digests;
using StorageActors.Archive.Processors;
using StorageActors.Archive.Tar;
using StorageActors.Protocol;

namespace StorageActors.Archive.Apply;

/// <summary>
/// Hands large blocks of an archive from the thread that makes them to the one that uses them, and digests them on the way. At most eight blocks exist, so
/// a slow user holds back a fast maker.
/// </summary>
/// <remarks>
/// Blocks are digested in order by whichever of the two threads has nothing better to do: the maker when all blocks are full, the user when it comes to one that
/// is not digested yet. So both threads stay busy, whether decompression or the disk is the slower half.
/// </remarks>
internal sealed class BlockRing : IBlockSource, IDisposable
{
    /// <summary>
    /// Bytes in a block; all but the last are full, so that no tar header straddles two. What is decompressed, digested and written one after the other
    /// stays in the processor's cache at this size: with a megabyte, which fits no longer, a layer of large files costs a fifth more processor time.
    /// </summary>
    internal const int BlockSize = 256 << 10;

    private const int Capacity = 8;

    private static readonly BlockPool Pool = new(BlockSize, kept: 16 * Capacity);

    private readonly object _gate = new();
    private readonly byte[]?[] _blocks = new byte[]?[Capacity];
    private readonly int[] _lengths = new int[Capacity];
    private readonly Sha256Hasher _hasher = new();

    // Numbers of blocks so far, under the gate; each is at most the one before.
    private long _made;
    private long _digested;
    private long _taken;
    private long _released;

    private bool _digesting;
    private bool _ended;
    private bool _abandoned;
    private ExceptionDispatchInfo? _failure;

    /// <summary>Maker: an empty block to fill to the brim; null when the user has given up.</summary>
    internal byte[]? Next()
    {
        while (true)
        {
            long digest;
            lock (_gate)
            {
                if (_abandoned) return null;
                if (_made - _released < Capacity) return _blocks[_made % Capacity] ??= Pool.Rent();
                if (!TryClaimDigest(out digest))
                {
                    Monitor.Wait(_gate);
                    continue;
                }
            }

            DigestClaimed(digest);
        }
    }

    /// <summary>Maker: hands over the block of the last <see cref="Next"/>.</summary>
    internal void Publish(int length)
    {
        lock (_gate)
        {
            _lengths[_made % Capacity] = length;
            _made++;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Maker: there is no more. Helps to digest what is left.</summary>
    internal void Complete()
    {
        lock (_gate)
        {
            _ended = true;
            Monitor.PulseAll(_gate);
        }

        while (true)
        {
            long digest;
            lock (_gate)
            {
                if (_abandoned || !TryClaimDigest(out digest)) return;
            }

            DigestClaimed(digest);
        }
    }

    /// <summary>Maker: it failed. The user gets the exception after the blocks that were made before.</summary>
    internal void Fail(Exception exception)
    {
        lock (_gate)
        {
            _failure = ExceptionDispatchInfo.Capture(exception);
            _ended = true;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>User: it wants no more.</summary>
    internal void Abandon()
    {
        lock (_gate)
        {
            _abandoned = true;
            Monitor.PulseAll(_gate);
        }
    }

    /// <inheritdoc/>
    public ReadOnlyMemory<byte> NextBlock()
    {
        lock (_gate)
        {
            if (_released < _taken)
            {
                _released = _taken;
                Monitor.PulseAll(_gate);
            }
        }

        while (true)
        {
            long digest;
            lock (_gate)
            {
                if (_taken < _digested)
                {
                    var slot = _taken++ % Capacity;
                    return _blocks[slot].AsMemory(0, _lengths[slot]);
                }

                if (!TryClaimDigest(out digest))
                {
                    if (_ended && _taken == _made)
                    {
                        _failure?.Throw();
                        return default;
                    }

                    Monitor.Wait(_gate);
                    continue;
                }
            }

            DigestClaimed(digest);
        }
    }

    /// <summary>The digest of all blocks; to be asked once, when both sides are done.</summary>
    internal Digest FinishDigest() => Digest.FromBytes(_hasher.Finish());

    /// <summary>Lets go of the blocks; when both sides are done.</summary>
    public void Dispose()
    {
        _hasher.Dispose();
        foreach (ref var block in _blocks.AsSpan())
        {
            if (block is not null) Pool.Return(block);
            block = null;
        }
    }

    private bool TryClaimDigest(out long block)
    {
        block = _digested;
        if (_digesting || _digested == _made) return false;
        _digesting = true;
        return true;
    }

    private void DigestClaimed(long block)
    {
        var slot = block % Capacity;
        using (ProcessorTurn.Take()) _hasher.Append(_blocks[slot].AsSpan(0, _lengths[slot]));
        lock (_gate)
        {
            _digesting = false;
            _digested++;
            Monitor.PulseAll(_gate);
        }
    }
}
