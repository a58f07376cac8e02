using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text.Json;
using StorageActors.Archive.Compression;
using StorageActors.Archive.Tar;

namespace StorageActors.Archive.TarSplit;

/// <summary>Reads a tar-split file, ours or a peer's, line by line. Anything that is not one is a <see cref="TarSplitException"/>.</summary>
internal sealed class TarSplitReader : IDisposable
{
    private const int MaxLine = 256 << 20;   // old writers put all that follows an archive into one segment

    private readonly GzipReadStream _gzip;
    private byte[] _buffer = new byte[128 << 10];
    private int _start;
    private int _end;
    private long _lines;
    private bool _atEnd;

    /// <param name="input">The compressed file; not disposed.</param>
    internal TarSplitReader(Stream input) => _gzip = new GzipReadStream(input);

    /// <summary>The line <see cref="MoveNext"/> came to.</summary>
    internal TarSplitEntry Current { get; } = new();

    /// <summary>Goes to the next line; false at the end of the file.</summary>
    internal bool MoveNext()
    {
        while (true)
        {
            var line = NextLine();
            if (line.IsEmpty && _atEnd && _start == _end) return false;
            if (line.Trim(" \t\r"u8).IsEmpty) continue;
            Parse(line);
            _lines++;
            return true;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _gzip.Dispose();

    private ReadOnlySpan<byte> NextLine()
    {
        for (var searched = 0; ;)
        {
            var newline = _buffer.AsSpan(_start + searched, _end - _start - searched).IndexOf((byte)'\n');
            if (newline >= 0)
            {
                var line = _buffer.AsSpan(_start, searched + newline);
                _start += line.Length + 1;
                return line;
            }

            searched = _end - _start;
            if (!_atEnd && Fill()) continue;
            var last = _buffer.AsSpan(_start, searched);
            _start = _end;
            return last;
        }
    }

    private bool Fill()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        if (_end == _buffer.Length)
        {
            if (_end >= MaxLine) throw Damaged("a line is too long");
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }

        try
        {
            var count = _gzip.Read(_buffer, _end, _buffer.Length - _end);
            _end += count;
            _atEnd = count == 0;
            return count > 0;
        }
        catch (CompressedDataException e)
        {
            throw Damaged("it cannot be decompressed", e);
        }
    }

    private void Parse(ReadOnlySpan<byte> line)
    {
        Current.Reset();
        var json = new Utf8JsonReader(line);
        var position = -1L;
        try
        {
            if (!json.Read() || json.TokenType != JsonTokenType.StartObject) throw Damaged("a line is no JSON object");
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                if (json.ValueTextEquals("type"u8)) { json.Read(); Current.Kind = (TarSplitKind)json.GetInt32(); }
                else if (json.ValueTextEquals("name"u8)) { json.Read(); CopyString(ref json, Current.NameBuffer); }
                else if (json.ValueTextEquals("name_raw"u8)) { json.Read(); CopyBase64(ref json, Current.NameBuffer); }
                else if (json.ValueTextEquals("size"u8)) { json.Read(); Current.Size = json.GetInt64(); }
                else if (json.ValueTextEquals("payload"u8)) { json.Read(); CopyBase64(ref json, Current.PayloadBuffer); }
                else if (json.ValueTextEquals("position"u8)) { json.Read(); position = json.GetInt64(); }
                else { json.Read(); json.Skip(); }
            }
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            throw Damaged("a line is not what tar-split lines are", e);
        }

        if (position != _lines) throw Damaged($"it says position {position}");
        if (Current.Kind is not (TarSplitKind.File or TarSplitKind.Segment)) throw Damaged($"an entry of type {(int)Current.Kind}");
        if (Current.Kind == TarSplitKind.Segment || Current.Size == 0) return;
        if (Current.Size < 0 || Current.PayloadBuffer.Length != 8) throw Damaged("a file without a checksum");
        Current.Crc = BinaryPrimitives.ReadUInt64BigEndian(Current.PayloadBuffer.Span);
    }

    private static void CopyString(ref Utf8JsonReader json, ByteBuffer target)
    {
        if (json.TokenType == JsonTokenType.Null) return;
        target.Clear();
        target.Truncate(json.CopyString(target.Extend(json.ValueSpan.Length)));
    }

    private static void CopyBase64(ref Utf8JsonReader json, ByteBuffer target)
    {
        if (json.TokenType == JsonTokenType.Null) return;
        if (json.TokenType != JsonTokenType.String) throw new FormatException("not a string");
        target.Clear();
        var space = target.Extend(Base64.GetMaxDecodedFromUtf8Length(json.ValueSpan.Length));
        var status = Base64.DecodeFromUtf8(json.ValueSpan, space, out _, out var written);
        if (status != OperationStatus.Done) throw new FormatException("not base64");
        target.Truncate(written);
    }

    private TarSplitException Damaged(string what, Exception? inner = null) =>
        new($"the record of the archive's structure is damaged at line {_lines}: {what}", inner: inner);
}
