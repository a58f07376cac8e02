using System.Buffers.Binary;
using System.Buffers.Text;
using System.IO.Compression;
using System.Text.Unicode;
using StorageActors.Archive.Compression;
using StorageActors.Archive.Tar;

namespace StorageActors.Archive.TarSplit;

/// <summary>Writes the lines of a tar-split file, compressed, byte for byte as Go's encoder words them.</summary>
/// <remarks>
/// <c>{"type":2,"payload":"base64","position":0}</c> is a segment of raw bytes,
/// <c>{"type":1,"name":"a","size":3,"payload":"base64 of the CRC-64","position":1}</c> a file; <c>name_raw</c> (base64) stands for a name
/// that is not UTF-8, <c>size</c> 0 is left out, and <c>payload</c> is null then.
/// </remarks>
internal sealed class TarSplitLines : IDisposable
{
    /// <summary>Longest segment; longer runs of raw bytes become several.</summary>
    internal const int MaxSegment = 1 << 20;

    private const int Piece = 48 << 10;   // of raw bytes: a multiple of 3, so that base64 pieces join

    private readonly Abandonable _output;
    private readonly GZipStream _gzip;
    private readonly ByteBuffer _line = new();
    private readonly ByteBuffer _segment = new();
    private long _position;

    /// <param name="output">Receives the compressed file; not disposed.</param>
    internal TarSplitLines(Stream output)
    {
        _output = new Abandonable(output);
        _gzip = new GZipStream(_output, CompressionLevel.Fastest);
    }

    /// <summary>Adds to the segment being collected; a full one is written.</summary>
    internal void AppendSegment(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var count = Math.Min(bytes.Length, MaxSegment - _segment.Length);
            _segment.Append(bytes[..count]);
            if (_segment.Length == MaxSegment) FlushSegment();
            bytes = bytes[count..];
        }
    }

    /// <summary>Writes the segment collected so far, if any.</summary>
    internal void FlushSegment()
    {
        if (_segment.Length == 0) return;
        _line.Append("{\"type\":2,\"payload\":\""u8);
        for (var rest = _segment.Span; !rest.IsEmpty; rest = rest[Math.Min(Piece, rest.Length)..])
        {
            AppendBase64(rest[..Math.Min(Piece, rest.Length)]);
            SpillLine();
        }

        _line.Append((byte)'"');
        EndLine();
        _segment.Clear();
    }

    /// <summary>Writes a file line; <paramref name="size"/> 0 says that assembly needs nothing from the file.</summary>
    internal void WriteFile(ReadOnlySpan<byte> name, long size, ulong crc)
    {
        FlushSegment();
        _line.Append("{\"type\":1,"u8);
        if (!Utf8.IsValid(name))
        {
            _line.Append("\"name_raw\":\""u8);
            AppendBase64(name);
            _line.Append("\","u8);
        }
        else if (!name.IsEmpty)
        {
            _line.Append("\"name\":\""u8);
            GoJson.AppendEscaped(_line, name);
            _line.Append("\","u8);
        }

        if (size > 0)
        {
            _line.Append("\"size\":"u8);
            AppendNumber(size);
            _line.Append(",\"payload\":\""u8);
            Span<byte> bigEndian = stackalloc byte[8];
            BinaryPrimitives.WriteUInt64BigEndian(bigEndian, crc);
            AppendBase64(bigEndian);
            _line.Append((byte)'"');
        }
        else
        {
            _line.Append("\"payload\":null"u8);
        }

        EndLine();
    }

    /// <summary>Writes nothing more, not even at disposal: the output may be full, or gone.</summary>
    internal void Abandon()
    {
        _output.IsAbandoned = true;
        Dispose();
    }

    /// <summary>Writes what is pending and ends the compressed file.</summary>
    public void Dispose()
    {
        FlushSegment();
        _gzip.Write(_line.Span);
        _line.Clear();
        _gzip.Dispose();
    }

    private void EndLine()
    {
        _line.Append(",\"position\":"u8);
        AppendNumber(_position++);
        _line.Append("}\n"u8);
        SpillLine();
    }

    /// <summary>The compressor is called for many lines at once.</summary>
    private void SpillLine()
    {
        if (_line.Length < Piece) return;
        _gzip.Write(_line.Span);
        _line.Clear();
    }

    private void AppendBase64(ReadOnlySpan<byte> bytes)
    {
        var start = _line.Length;
        Base64.EncodeToUtf8(bytes, _line.Extend(Base64.GetMaxEncodedToUtf8Length(bytes.Length)), out _, out var written);
        _line.Truncate(start + written);
    }

    private void AppendNumber(long value)
    {
        var start = _line.Length;
        Utf8Formatter.TryFormat(value, _line.Extend(20), out var written);
        _line.Truncate(start + written);
    }

    private sealed class Abandonable(Stream output) : WriteOnlyStream
    {
        internal bool IsAbandoned { get; set; }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (!IsAbandoned) output.Write(buffer);
        }

        public override void Flush()
        {
            if (!IsAbandoned) output.Flush();
        }
    }
}
