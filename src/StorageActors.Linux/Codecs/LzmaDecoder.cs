using System.Runtime.InteropServices;

namespace StorageActors.Linux.Codecs;

/// <summary>.xz: streams one after the other, with the zero padding that the format allows between them.</summary>
internal sealed unsafe class LzmaDecoder : NativeDecoder
{
    private readonly StreamHandle _stream = new();
    private readonly ulong _memoryLimit;
    private bool _isInside;       // a stream has begun and not ended
    private bool _afterStream;    // padding may follow
    private int _padding;         // zero bytes since the last stream, modulo four

    /// <param name="memoryLimit">What a dictionary may cost; xz -9 needs 65 MiB.</param>
    internal LzmaDecoder(ulong memoryLimit = 256 * 1024 * 1024) => _memoryLimit = memoryLimit;

    internal static bool IsAvailable { get; } = CodecLibrary.IsAvailable(CodecLibrary.Lzma);

    internal override bool IsComplete => !_isInside && _padding == 0;

    internal override DecodeStatus Decode(ReadOnlySpan<byte> source, Span<byte> target, out int consumed, out int written)
    {
        ObjectDisposedException.ThrowIf(_stream.IsClosed, this);
        (consumed, written) = (0, 0);
        if (!_isInside)
        {
            consumed = SkipPadding(source);
            if (consumed == source.Length) return IsComplete ? DecodeStatus.EndOfFrame : DecodeStatus.NeedInput;
            if (_padding != 0) throw new CodecException("xz", "padding between streams is not a multiple of four bytes");
            Check(LzmaLibrary.StreamDecoder(_stream.Stream, _memoryLimit, 0));
            _isInside = true;
        }
        fixed (byte* from = source)
        fixed (byte* to = target)
        {
            var stream = _stream.Stream;
            stream->NextInput = from + consumed;
            stream->AvailableInput = (nuint)(source.Length - consumed);
            stream->NextOutput = to;
            stream->AvailableOutput = (nuint)target.Length;
            var result = LzmaLibrary.Code(stream, 0);
            consumed = source.Length - (int)stream->AvailableInput;
            written = target.Length - (int)stream->AvailableOutput;
            GC.KeepAlive(this);
            if (result == LzmaResult.StreamEnd)
            {
                (_isInside, _afterStream) = (false, true);
                return DecodeStatus.EndOfFrame;
            }
            // "Buffer" is the answer to a second call that could do nothing, not an error of the data.
            if (result != LzmaResult.Buffer) Check(result);
            return written == target.Length ? DecodeStatus.NeedOutput : DecodeStatus.NeedInput;
        }
    }

    public override void Dispose() => _stream.Dispose();

    private int SkipPadding(ReadOnlySpan<byte> source)
    {
        if (!_afterStream) return 0;
        var end = source.IndexOfAnyExcept((byte)0);
        if (end < 0) end = source.Length;
        _padding = (_padding + end) % 4;
        return end;
    }

    private static void Check(LzmaResult result)
    {
        if (result is LzmaResult.Ok or LzmaResult.NoCheck or LzmaResult.UnsupportedCheck or LzmaResult.GetCheck) return;
        throw new CodecException("xz", LzmaLibrary.Explain(result));
    }

    /// <summary>The library's state lies behind a pointer in the struct, so the struct must not move and ends with lzma_end.</summary>
    private sealed class StreamHandle : SafeHandle
    {
        internal StreamHandle()
            : base(0, ownsHandle: true) => SetHandle((nint)NativeMemory.AllocZeroed((nuint)sizeof(LzmaStream)));

        internal LzmaStream* Stream => (LzmaStream*)handle;

        public override bool IsInvalid => handle == 0;

        protected override bool ReleaseHandle()
        {
            LzmaLibrary.End(Stream);
            NativeMemory.Free((void*)handle);
            return true;
        }
    }
}
