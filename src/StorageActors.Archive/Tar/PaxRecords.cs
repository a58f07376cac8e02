namespace StorageActors.Archive.Tar;

/// <summary>Records <c>len key=value\n</c> of a PAX header, walked in place.</summary>
internal ref struct PaxRecords(ReadOnlySpan<byte> block)
{
    private readonly ReadOnlySpan<byte> _all = block;
    private ReadOnlySpan<byte> _rest = block;

    internal ReadOnlySpan<byte> Key { get; private set; }

    internal ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>Where the key lies in the block.</summary>
    internal int KeyStart { get; private set; }

    /// <summary>Where the value lies in the block.</summary>
    internal readonly int ValueStart => KeyStart + Key.Length + 1;

    /// <summary>What is wrong, when <see cref="MoveNext"/> stopped early.</summary>
    internal string? Error { get; private set; }

    internal bool MoveNext()
    {
        if (_rest.IsEmpty) return false;
        var space = _rest[..Math.Min(_rest.Length, 12)].IndexOf((byte)' ');
        if (space <= 0 || !TarNumber.TryParseDecimal(_rest[..space], out var length))
            return Fail("a PAX record does not begin with its length");
        if (length <= space + 1 || length > _rest.Length)
            return Fail($"a PAX record is said to have {length} bytes, {_rest.Length} are left in its header");
        var record = _rest[(space + 1)..(int)length];
        if (record[^1] != (byte)'\n') return Fail("a PAX record does not end with a newline where its length says");
        var equals = record.IndexOf((byte)'=');
        if (equals <= 0) return Fail("a PAX record has no key");
        Key = record[..equals];
        if (Key.Contains((byte)0)) return Fail("a PAX key contains a NUL");
        Value = record[(equals + 1)..^1];
        KeyStart = _all.Length - _rest.Length + space + 1;
        _rest = _rest[(int)length..];
        return true;
    }

    private bool Fail(string error)
    {
        Error = error;
        return false;
    }
}
