using StorageActors.Archive.Digests;

namespace StorageActors.Archive.Tar;

/// <summary>Collects output in one large block that callers fill in place; hashes and writes it whole.</summary>
internal sealed class BlockWriter(Stream output, Sha256Hasher? hasher = null)
{
    private readonly byte[] _block = GC.AllocateUninitializedArray<byte>(StreamBlockSource.DefaultBlockSize);
    private int _used;

    /// <summary>Bytes written since the beginning.</summary>
    internal long Position { get; private set; }

    /// <summary>The free end of the block, at least <paramref name="minimum"/> bytes; followed by <see cref="Advance"/>.</summary>
    internal Span<byte> Free(int minimum = 1)
    {
        if (_block.Length - _used < minimum) Flush();
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

    /// <summary>Hands the block to the stream; does not flush the stream.</summary>
    internal void Flush()
    {
        if (_used == 0) return;
        var filled = _block.AsSpan(0, _used);
        hasher?.Append(filled);
        output.Write(filled);
        _used = 0;
    }
}
