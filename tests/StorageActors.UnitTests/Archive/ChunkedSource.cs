using StorageActors.Archive.Tar;

namespace StorageActors.UnitTests.Archive;

/// <summary>Hands an archive out in blocks of a given size, each in memory of its own that is overwritten at the next call: whoever
/// keeps a span too long reads rubbish.</summary>
internal sealed class ChunkedSource(byte[] archive, int blockSize) : IBlockSource
{
    private byte[]? _last;
    private int _offset;

    public ReadOnlyMemory<byte> NextBlock()
    {
        _last?.AsSpan().Fill(0xee);
        var count = Math.Min(blockSize, archive.Length - _offset);
        _last = archive.AsSpan(_offset, count).ToArray();
        _offset += count;
        return _last;
    }
}
