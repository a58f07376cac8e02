using System.Collections.Concurrent;

namespace StorageActors.Archive.Tar;

/// <summary>Large blocks of memory that pass from one archive to the next, so that nobody pays for new ones. Their content is anything.</summary>
internal static class BlockPool
{
    /// <summary>Bytes in a block.</summary>
    internal const int BlockSize = StreamBlockSource.DefaultBlockSize;

    private const int MaxPooled = 32;

    private static readonly ConcurrentBag<byte[]> Pool = [];

    /// <summary>A block for <see cref="Return"/>. Pinned: system calls work on it, and large ones need not move anyway.</summary>
    internal static byte[] Rent() => Pool.TryTake(out var block) ? block : GC.AllocateUninitializedArray<byte>(BlockSize, pinned: true);

    /// <summary>Gives a block back that nobody uses any more.</summary>
    internal static void Return(byte[] block)
    {
        if (Pool.Count < MaxPooled) Pool.Add(block);
    }
}
