namespace StorageActors.Linux.Codecs;

/// <summary>zstd, skippable frames included.</summary>
internal sealed unsafe class ZstdDecoder : NativeDecoder
{
    private readonly ZstdDecoderHandle _context = new();
    private bool _isComplete = true;

    /// <param name="windowLog">The largest window accepted, as a power of two; 27 (128 MiB) is what decoders must offer.</param>
    internal ZstdDecoder(int windowLog = 27) =>
        ZstdLibrary.Check(ZstdLibrary.SetDecoderParameter(_context.DangerousGetHandle(), ZstdLibrary.WindowLogMax, windowLog));

    internal static bool IsAvailable { get; } = CodecLibrary.IsAvailable(CodecLibrary.Zstd);

    internal override bool IsComplete => _isComplete;

    internal override DecodeStatus Decode(ReadOnlySpan<byte> source, Span<byte> target, out int consumed, out int written)
    {
        ObjectDisposedException.ThrowIf(_context.IsClosed, this);
        fixed (byte* from = source)
        fixed (byte* to = target)
        {
            var input = new ZstdBuffer { Start = from, Size = (nuint)source.Length };
            var output = new ZstdBuffer { Start = to, Size = (nuint)target.Length };
            nuint hint = 0;
            // A call stops at a frame's end. With nothing to do it would begin a frame, so it is not made.
            if (!(source.IsEmpty && _isComplete)) hint = ZstdLibrary.Check(ZstdLibrary.Decompress(_context.DangerousGetHandle(), &output, &input));
            GC.KeepAlive(this);
            (consumed, written) = ((int)input.Position, (int)output.Position);
            _isComplete = hint == 0;
            return _isComplete ? DecodeStatus.EndOfFrame
                : output.Position == output.Size ? DecodeStatus.NeedOutput
                : DecodeStatus.NeedInput;
        }
    }

    public override void Dispose() => _context.Dispose();
}
