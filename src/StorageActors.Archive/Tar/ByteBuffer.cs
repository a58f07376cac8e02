namespace StorageActors.Archive.Tar;

/// <summary>A growing array that is reused: what it holds changes, its memory stays.</summary>
internal sealed class ByteBuffer
{
    private byte[] _bytes = [];

    internal int Length { get; private set; }

    internal ReadOnlySpan<byte> Span => _bytes.AsSpan(0, Length);

    internal ReadOnlyMemory<byte> Memory => _bytes.AsMemory(0, Length);

    internal void Clear() => Length = 0;

    internal void Set(ReadOnlySpan<byte> bytes)
    {
        Length = 0;
        Append(bytes);
    }

    internal void Append(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Extend(bytes.Length));

    internal void Append(byte value) => Extend(1)[0] = value;

    /// <summary>Makes the content longer; the new part is to be written by the caller.</summary>
    internal Span<byte> Extend(int count)
    {
        var length = Length;
        if (_bytes.Length - length < count)
            Array.Resize(ref _bytes, Math.Max(length + count, Math.Max(256, _bytes.Length * 2)));
        Length = length + count;
        return _bytes.AsSpan(length, count);
    }

    /// <summary>Gives back the end of what <see cref="Extend"/> added.</summary>
    internal void Truncate(int length) => Length = length;
}
