namespace StorageActors.Archive.Tar;

/// <summary>What global headers say about the entries that follow: of each key that counts the newest value, so that what an entry
/// costs does not grow with the headers before it.</summary>
/// <remarks>
/// Only metadata. What shapes the archive comes from the entry's own header alone: a global name or size makes no sense, and readers
/// that ignore global headers (Go's, libarchive) must not see other entries than we do, nor other extended attributes.
/// </remarks>
internal sealed class PaxDefaults
{
    private readonly byte[][] _keys = ["mtime"u8.ToArray(), "atime"u8.ToArray(), "ctime"u8.ToArray(), "uid"u8.ToArray(), "gid"u8.ToArray(),
        "uname"u8.ToArray(), "gname"u8.ToArray()];

    private readonly byte[][] _values = [[], [], [], [], [], [], []];

    /// <summary>How many keys there are.</summary>
    internal int Count => _keys.Length;

    /// <summary>A key and its value; without a default the value is empty.</summary>
    internal (byte[] Key, byte[] Value) this[int index] => (_keys[index], _values[index]);

    /// <summary>Takes a record over; an empty value ends the default.</summary>
    internal void Set(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        for (var i = 0; i < _keys.Length; i++)
            if (key.SequenceEqual(_keys[i])) _values[i] = value.ToArray();
    }
}
