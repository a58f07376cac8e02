namespace StorageActors.Archive.Apply;

/// <summary>Compares names of files, which are bytes, in dictionaries; look-ups by span need no copy.</summary>
/// <remarks>The hash is the runtime's seeded one, so that nobody can choose names that all collide.</remarks>
internal sealed class ByteStringComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
{
    internal static readonly ByteStringComparer Instance = new();

    /// <summary>Orders paths by their bytes.</summary>
    internal static readonly Comparison<byte[]> Order = static (left, right) => left.AsSpan().SequenceCompareTo(right);

    private ByteStringComparer()
    {
    }

    internal static int Hash(ReadOnlySpan<byte> name)
    {
        var hash = default(HashCode);
        hash.AddBytes(name);
        return hash.ToHashCode();
    }

    /// <inheritdoc/>
    public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

    /// <inheritdoc/>
    public int GetHashCode(byte[] obj) => Hash(obj);

    /// <inheritdoc/>
    public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();

    /// <inheritdoc/>
    public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

    /// <inheritdoc/>
    public int GetHashCode(ReadOnlySpan<byte> alternate) => Hash(alternate);
}
