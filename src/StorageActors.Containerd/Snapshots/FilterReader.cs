using System.Globalization;
using System.Text;
using static StorageActors.Containerd.Snapshots.SnapshotFilter;

namespace StorageActors.Containerd.Snapshots;

/// <summary>Reads the text of a filter, by containerd's grammar.</summary>
internal sealed class FilterReader
{
    private readonly string _text;
    private int _at;

    private FilterReader(string text) => _text = text;

    private bool IsAtEnd => _at >= _text.Length;

    private char Next => IsAtEnd ? '\0' : _text[_at];

    /// <summary>The conditions; none for an empty text.</summary>
    internal static IReadOnlyList<Condition> Read(string text)
    {
        var reader = new FilterReader(text);
        var conditions = new List<Condition>();
        if (reader.IsAtEnd) return conditions;
        while (true)
        {
            conditions.Add(reader.ReadCondition());
            if (reader.IsAtEnd) return conditions;
            if (reader.Next != ',') throw reader.Wrong("a comma or the end is expected");
            reader._at++;
        }
    }

    private Condition ReadCondition()
    {
        var field = new List<string> { ReadName() };
        while (Next == '.')
        {
            _at++;
            field.Add(ReadName());
        }

        if (IsAtEnd || Next == ',') return new Condition(field, Comparison.Present, "");
        var comparison = _at + 1 < _text.Length ? _text.AsSpan(_at, 2) switch
        {
            "==" => Comparison.Equal,
            "!=" => Comparison.NotEqual,
            "~=" => Comparison.Matches,
            _ => throw Wrong("one of ==, != and ~= is expected"),
        }
        : throw Wrong("one of ==, != and ~= is expected");
        _at += 2;
        var value = ReadValue(comparison == Comparison.Matches);
        try
        {
            return new Condition(field, comparison, value);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            throw new FormatException($"\"{value}\" is no regular expression that is understood: {e.Message}", e);
        }
    }

    private string ReadName()
    {
        if (Next == '"') return ReadQuoted('"');
        var begin = _at;
        while (char.IsAsciiLetterOrDigit(Next) || Next == '_') _at++;
        return _at > begin ? _text[begin.._at] : throw Wrong("a field is expected");
    }

    private string ReadValue(bool isExpression)
    {
        if (Next == '"' || (isExpression && Next is '/' or '|')) return ReadQuoted(Next);
        var begin = _at;
        while (!IsAtEnd && Next != ',' && !char.IsWhiteSpace(Next)) _at++;
        return _at > begin ? _text[begin.._at] : throw Wrong("a value is expected");
    }

    /// <summary>A quoted text with Go's escapes; in an expression only the quote itself is escaped, for the rest is the expression's.</summary>
    private string ReadQuoted(char quote)
    {
        var value = new List<byte>();
        for (_at++; !IsAtEnd; _at++)
        {
            if (Next == quote)
            {
                _at++;
                return Encoding.UTF8.GetString([.. value]);
            }

            if (Next != '\\') AddRune(value);
            else if (quote == '"') ReadEscape(value);
            else ReadSlash(value, quote);
        }

        throw Wrong("the quoted text has no end");
    }

    private void AddRune(List<byte> value)
    {
        Rune.DecodeFromUtf16(_text.AsSpan(_at), out var rune, out var consumed);
        Span<byte> bytes = stackalloc byte[4];
        foreach (var one in bytes[..rune.EncodeToUtf8(bytes)]) value.Add(one);
        _at += consumed - 1;
    }

    private void ReadSlash(List<byte> value, char quote)
    {
        if (_at + 1 < _text.Length && _text[_at + 1] == quote) _at++;
        value.Add((byte)Next);
    }

    private void ReadEscape(List<byte> value)
    {
        _at++;
        switch (Next)
        {
            case 'a': value.Add(7); break;
            case 'b': value.Add(8); break;
            case 'f': value.Add(12); break;
            case 'n': value.Add(10); break;
            case 'r': value.Add(13); break;
            case 't': value.Add(9); break;
            case 'v': value.Add(11); break;
            case '\\' or '"' or '\'': value.Add((byte)Next); break;
            case 'x': value.Add((byte)ReadHex(2)); break;
            case 'u': AddCode(value, ReadHex(4)); break;
            case 'U': AddCode(value, ReadHex(8)); break;
            default: throw Wrong("no such escape");
        }
    }

    private uint ReadHex(int digits)
    {
        if (_at + digits >= _text.Length || !uint.TryParse(_text.AsSpan(_at + 1, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code))
            throw Wrong("hexadecimal digits are expected");
        _at += digits;
        return code;
    }

    private void AddCode(List<byte> value, uint code)
    {
        if (!Rune.TryCreate(code, out var rune)) throw Wrong("no such character");
        value.AddRange(Encoding.UTF8.GetBytes(rune.ToString()));
    }

    private FormatException Wrong(string what) => new($"filter {_text}: at {_at}: {what}");
}
