namespace StorageActors.Archive.Tar;

/// <summary>Blocks read from a stream into one buffer that is filled to the brim, so that only the last block is short.</summary>
internal sealed class StreamBlockSource : IBlockSource
{
    /// <summary>Large enough that the cost of a call, a hash update and a hand-over disappears behind the bytes.</summary>
    internal const int DefaultBlockSize = 1 << 20;

    private readonly Stream _stream;
    private readonly byte[] _buffer;

    /// <param name="stream">Read to its end; not disposed.</param>
    /// <param name="blockSize">A multiple of 512.</param>
    internal StreamBlockSource(Stream stream, int blockSize = DefaultBlockSize)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(blockSize);
        _stream = stream;
        _buffer = GC.AllocateUninitializedArray<byte>(blockSize);
    }

    /// <inheritdoc/>
    public ReadOnlyMemory<byte> NextBlock() =>
        _buffer.AsMemory(0, _stream.ReadAtLeast(_buffer, _buffer.Length, throwOnEndOfStream: false));
}
