namespace StorageActors.Archive.Apply;

/// <summary>Many short byte strings in few large arrays.</summary>
internal sealed class ByteArena
{
    private const int ChunkBits = 16;
    private const int ChunkSize = 1 << ChunkBits;

    private readonly List<byte[]> _chunks = [];
    private int _used = ChunkSize;

    /// <summary>Keeps a copy of at most 64 KiB and returns where.</summary>
    internal int Add(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty) return 0;
        if (bytes.Length > ChunkSize - _used)
        {
            _chunks.Add(GC.AllocateUninitializedArray<byte>(ChunkSize));
            _used = 0;
        }

        var at = ((_chunks.Count - 1) << ChunkBits) | _used;
        bytes.CopyTo(_chunks[^1].AsSpan(_used));
        _used += bytes.Length;
        return at;
    }

    internal ReadOnlySpan<byte> Get(int at, int length) => length == 0 ? default : _chunks[at >>> ChunkBits].AsSpan(at & (ChunkSize - 1), length);

    /// <summary>Keeps a copy with its length, for <see cref="Get(int)"/>.</summary>
    internal int AddWithLength(ReadOnlySpan<byte> bytes)
    {
        Span<byte> all = stackalloc byte[2 + LayerPath.MaxLength];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt16LittleEndian(all, (ushort)bytes.Length);
        bytes.CopyTo(all[2..]);
        return Add(all[..(2 + bytes.Length)]);
    }

    internal ReadOnlySpan<byte> Get(int at)
    {
        var length = System.Buffers.Binary.BinaryPrimitives.ReadUInt16LittleEndian(Get(at, 2));
        return Get(at + 2, length);
    }
}
