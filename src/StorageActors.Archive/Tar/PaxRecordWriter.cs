using System.Buffers.Text;
using System.Globalization;

namespace StorageActors.Archive.Tar;

/// <summary>Collects the PAX records of one entry.</summary>
internal sealed class PaxRecordWriter
{
    private readonly ByteBuffer _records = new();
    private readonly ByteBuffer _key = new();
    private readonly ByteBuffer _value = new();
    private readonly List<TarXattr> _xattrs = [];

    /// <summary>The records so far.</summary>
    internal ReadOnlySpan<byte> Span => _records.Span;

    internal void Clear() => _records.Clear();

    /// <summary><c>length key=value\n</c>, where the length counts its own digits.</summary>
    internal void Add(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        var rest = key.Length + value.Length + 3;   // space, equals sign, newline
        var length = rest + Digits(rest);
        if (Digits(length) != Digits(rest)) length = rest + Digits(length);
        Utf8Formatter.TryFormat(length, _records.Extend(Digits(length)), out _);
        _records.Append((byte)' ');
        _records.Append(key);
        _records.Append((byte)'=');
        _records.Append(value);
        _records.Append((byte)'\n');
    }

    internal void Add(ReadOnlySpan<byte> key, long value)
    {
        Span<byte> text = stackalloc byte[20];
        Utf8Formatter.TryFormat(value, text, out var length);
        Add(key, text[..length]);
    }

    internal void Add(ReadOnlySpan<byte> key, TarTime time)
    {
        var (negative, seconds, fraction) = (time.Seconds < 0, time.Seconds, time.Nanoseconds);
        // Seconds and a positive rest become a sign and a magnitude: -2 s + 0.5 s is -1.5.
        if (negative && fraction > 0) (seconds, fraction) = (seconds + 1, 1_000_000_000 - fraction);
        var text = string.Create(CultureInfo.InvariantCulture, $"{(negative ? "-" : "")}{Math.Abs(seconds)}");
        if (fraction > 0) text += string.Create(CultureInfo.InvariantCulture, $".{fraction:D9}").TrimEnd('0');
        Add(key, System.Text.Encoding.ASCII.GetBytes(text));
    }

    /// <summary>Adds extended attributes in the order of their keys.</summary>
    internal void AddXattrs(ReadOnlySpan<TarXattr> xattrs)
    {
        if (xattrs.IsEmpty) return;
        _xattrs.Clear();
        _xattrs.AddRange(xattrs);
        _xattrs.Sort(static (a, b) => a.Name.Span.SequenceCompareTo(b.Name.Span));
        // A name with a = cannot be in a PAX key; libarchive's form encodes it.
        foreach (var xattr in _xattrs)
            if (xattr.Name.Span.Contains((byte)'=')) AddLibarchive(xattr);
        foreach (var xattr in _xattrs)
        {
            if (xattr.Name.Span.Contains((byte)'=')) continue;
            _key.Set("SCHILY.xattr."u8);
            _key.Append(xattr.Name.Span);
            Add(_key.Span, xattr.Value.Span);
        }
    }

    private void AddLibarchive(TarXattr xattr)
    {
        _key.Set("LIBARCHIVE.xattr."u8);
        foreach (var value in xattr.Name.Span)
        {
            if (value is not ((byte)'=' or (byte)'%' or < 0x21 or > 0x7e))
            {
                _key.Append(value);
                continue;
            }

            _key.Append((byte)'%');
            Utf8Formatter.TryFormat(value, _key.Extend(2), out _, new System.Buffers.StandardFormat('X', 2));
        }

        _value.Clear();
        Base64.EncodeToUtf8(xattr.Value.Span, _value.Extend(Base64.GetMaxEncodedToUtf8Length(xattr.Value.Length)), out _, out var length);
        _value.Truncate(length);
        Add(_key.Span, _value.Span.TrimEnd((byte)'='));
    }

    private static int Digits(int value)
    {
        var digits = 1;
        for (; value >= 10; value /= 10) digits++;
        return digits;
    }
}
