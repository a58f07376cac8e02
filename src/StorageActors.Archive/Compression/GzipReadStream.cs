using System.IO.Compression;
using System.Security.Cryptography;
using StorageActors.Protocol;

namespace StorageActors.Archive.Compression;

/// <summary>Decompresses gzip, one member or several, and notices when the input ends too early. What follows the last member and is
/// no gzip (padding) is ignored; the owner of the input drains it.</summary>
/// <remarks>
/// <see cref="GZipStream"/> takes a cut-off input for a complete one. So a member with random content is put behind the real end: if
/// the decompressor asks for it and gives back exactly that content, the input was whole; if it gives back anything else, the input ended
/// inside a member; and if it never asks, it had stopped before, at padding.
/// </remarks>
internal sealed class GzipReadStream : ReadOnlyStream
{
    private static readonly byte[] Mark = RandomNumberGenerator.GetBytes(16);
    private static readonly byte[] MarkMember = Compress(Mark);

    private readonly MarkedInput _input;
    private readonly GZipStream _gzip;
    private bool _atEnd;

    /// <param name="input">Not disposed; read in small pieces, so it should buffer.</param>
    internal GzipReadStream(Stream input)
    {
        _input = new MarkedInput(input);
        _gzip = new GZipStream(_input, CompressionMode.Decompress, leaveOpen: true);
    }

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        if (_atEnd || buffer.IsEmpty) return 0;
        try
        {
            var count = _gzip.Read(buffer);
            if (!_input.MarkAsked)
            {
                _atEnd = count == 0;
                return count;
            }

            // The decompressor returns what it has before it asks for more: all of this comes from the mark.
            CheckMark(buffer, count);
            _atEnd = true;
            return 0;
        }
        catch (InvalidDataException e)
        {
            throw _input.MarkAsked ? Truncated(e)
                : new CompressedDataException(LayerCompression.Gzip, "the data is damaged: an invalid block, or a checksum that does not match", e);
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) _gzip.Dispose();
        base.Dispose(disposing);
    }

    private void CheckMark(Span<byte> buffer, int count)
    {
        ReadOnlySpan<byte> expected = Mark;
        for (; count > 0; count = _gzip.Read(buffer))
        {
            if (!expected.StartsWith(buffer[..count])) throw Truncated(null);
            expected = expected[count..];
        }

        if (!expected.IsEmpty) throw Truncated(null);
    }

    private static CompressedDataException Truncated(Exception? inner) =>
        new(LayerCompression.Gzip, "the data ends inside a member", inner);

    private static byte[] Compress(byte[] content)
    {
        using var member = new MemoryStream();
        using (var gzip = new GZipStream(member, CompressionLevel.NoCompression)) gzip.Write(content);
        return member.ToArray();
    }

    /// <summary>The input with the mark behind it.</summary>
    private sealed class MarkedInput(Stream input) : ReadOnlyStream
    {
        private int _served = -1;

        internal bool MarkAsked => _served >= 0;

        public override int Read(Span<byte> buffer)
        {
            if (!MarkAsked)
            {
                var count = input.Read(buffer);
                if (count > 0 || buffer.IsEmpty) return count;
                _served = 0;
            }

            var rest = MarkMember.AsSpan(_served);
            var piece = rest[..Math.Min(rest.Length, buffer.Length)];
            piece.CopyTo(buffer);
            _served += piece.Length;
            return piece.Length;
        }
    }
}
