using System.Runtime.InteropServices;

namespace StorageActors.Linux.Codecs;

/// <summary>bzip2: streams one after the other, as parallel compressors write them.</summary>
internal sealed unsafe class Bzip2Decoder : NativeDecoder
{
    private readonly StreamHandle _stream = new();

    internal static bool IsAvailable { get; } = CodecLibrary.IsAvailable(CodecLibrary.Bzip2);

    internal override bool IsComplete => !_stream.IsInside;

    internal override DecodeStatus Decode(ReadOnlySpan<byte> source, Span<byte> target, out int consumed, out int written)
    {
        ObjectDisposedException.ThrowIf(_stream.IsClosed, this);
        (consumed, written) = (0, 0);
        if (!_stream.IsInside)
        {
            if (source.IsEmpty) return DecodeStatus.EndOfFrame;
            _stream.Begin();
        }
        fixed (byte* from = source)
        fixed (byte* to = target)
        {
            var stream = _stream.Stream;
            stream->NextInput = from;
            stream->AvailableInput = (uint)source.Length;
            stream->NextOutput = to;
            stream->AvailableOutput = (uint)target.Length;
            var result = Bzip2Library.Decompress(stream);
            consumed = source.Length - (int)stream->AvailableInput;
            written = target.Length - (int)stream->AvailableOutput;
            GC.KeepAlive(this);
            if (result == Bzip2Result.StreamEnd)
            {
                _stream.Finish();
                return DecodeStatus.EndOfFrame;
            }
            if (result != Bzip2Result.Ok) throw new CodecException("bzip2", Bzip2Library.Explain(result));
            return written == target.Length ? DecodeStatus.NeedOutput : DecodeStatus.NeedInput;
        }
    }

    public override void Dispose() => _stream.Dispose();

    /// <summary>The library keeps a pointer back to the struct, so the struct must not move.</summary>
    private sealed class StreamHandle : SafeHandle
    {
        internal StreamHandle()
            : base(0, ownsHandle: true) => SetHandle((nint)NativeMemory.AllocZeroed((nuint)sizeof(Bzip2Stream)));

        internal bool IsInside { get; private set; }

        internal Bzip2Stream* Stream => (Bzip2Stream*)handle;

        public override bool IsInvalid => handle == 0;

        internal void Begin()
        {
            NativeMemory.Clear(Stream, (nuint)sizeof(Bzip2Stream));
            var result = Bzip2Library.Initialize(Stream, 0, 0);
            if (result != Bzip2Result.Ok) throw new CodecException("bzip2", Bzip2Library.Explain(result));
            IsInside = true;
        }

        internal void Finish()
        {
            Bzip2Library.End(Stream);
            IsInside = false;
        }

        protected override bool ReleaseHandle()
        {
            if (IsInside) Bzip2Library.End(Stream);
            NativeMemory.Free((void*)handle);
            return true;
        }
    }
}
