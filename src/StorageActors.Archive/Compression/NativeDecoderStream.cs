using StorageActors.Linux.Codecs;
using StorageActors.Protocol;

namespace StorageActors.Archive.Compression;

/// <summary>Decompresses through a library of the host; frames that follow each other are one content.</summary>
/// <param name="input">Not disposed.</param>
/// <param name="compression">For messages.</param>
/// <param name="decoder">Disposed with the stream.</param>
internal sealed class NativeDecoderStream(Stream input, LayerCompression compression, NativeDecoder decoder) : ReadOnlyStream
{
    private readonly byte[] _block = GC.AllocateUninitializedArray<byte>(256 << 10);
    private int _start;
    private int _end;
    private bool _inputEnded;

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty) return 0;
        while (true)
        {
            if (_start == _end && !_inputEnded)
            {
                (_start, _end) = (0, input.Read(_block, 0, _block.Length));
                _inputEnded = _end == 0;
            }

            var (status, consumed, written) = Decode(buffer);
            _start += consumed;
            if (written > 0) return written;
            if (consumed == 0 && _start < _end && status != DecodeStatus.EndOfFrame)
                throw new CompressedDataException(compression, "the decompressor makes no progress");
            if (!_inputEnded || _start < _end) continue;
            return decoder.IsComplete ? 0 : throw new CompressedDataException(compression, "the data ends too early");
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) decoder.Dispose();
        base.Dispose(disposing);
    }

    private (DecodeStatus Status, int Consumed, int Written) Decode(Span<byte> buffer)
    {
        try
        {
            var status = decoder.Decode(_block.AsSpan(_start, _end - _start), buffer, out var consumed, out var written);
            return (status, consumed, written);
        }
        catch (CodecException e)
        {
            throw new CompressedDataException(compression, "the data is damaged: " + e.Message, e);
        }
    }
}
