using System.Collections.Concurrent;

namespace StorageActors.Archive.Tar;

/// <summary>Blocks of memory of one size that pass from one archive to the next, so that nobody pays for new ones. Their content is anything.</summary>
/// <param name="blockSize">Bytes in a block.</param>
/// <param name="kept">How many are kept at most while nobody uses them.</param>
internal sealed class BlockPool(int blockSize, int kept)
{
    private readonly ConcurrentBag<byte[]> _blocks = [];

    /// <summary>A block for <see cref="Return"/>. Pinned: system calls work on it, and large ones need not move anyway.</summary>
    internal byte[] Rent() => _blocks.TryTake(out var block) ? block : GC.AllocateUninitializedArray<byte>(blockSize, pinned: true);

    /// <summary>Gives a block back that nobody uses any more.</summary>
    internal void Return(byte[] block)
    {
        if (_blocks.Count < kept) _blocks.Add(block);
    }
}
