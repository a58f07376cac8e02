namespace StorageActors.Linux.Codecs;

/// <summary>Writes one zstd frame, with a checksum of its content. Not thread-safe.</summary>
internal sealed unsafe class ZstdEncoder : IDisposable
{
    private readonly ZstdEncoderHandle _context = new();

    /// <param name="level">1 to 22; 3 is the library's default.</param>
    /// <param name="workers">Threads of the library's own; 0 compresses on the caller's. Ignored where the library has none.</param>
    internal ZstdEncoder(int level = 3, int workers = 0)
    {
        var context = _context.DangerousGetHandle();
        ZstdLibrary.Check(ZstdLibrary.SetEncoderParameter(context, ZstdLibrary.CompressionLevel, level));
        ZstdLibrary.Check(ZstdLibrary.SetEncoderParameter(context, ZstdLibrary.ChecksumFlag, 1));
        if (workers > 0) ZstdLibrary.SetEncoderParameter(context, ZstdLibrary.Workers, workers);
    }

    internal static bool IsAvailable => ZstdDecoder.IsAvailable;

    /// <summary>
    /// Compresses as much as fits; true when the operation is done. Repeat with the rest of the input and a fresh output
    /// until it is; with <see cref="EncodeOperation.Continue"/> that is when all input was taken.
    /// </summary>
    internal bool Encode(ReadOnlySpan<byte> source, Span<byte> target, EncodeOperation operation, out int consumed, out int written)
    {
        ObjectDisposedException.ThrowIf(_context.IsClosed, this);
        fixed (byte* from = source)
        fixed (byte* to = target)
        {
            var input = new ZstdBuffer { Start = from, Size = (nuint)source.Length };
            var output = new ZstdBuffer { Start = to, Size = (nuint)target.Length };
            var remaining = ZstdLibrary.Check(ZstdLibrary.Compress(_context.DangerousGetHandle(), &output, &input, operation));
            GC.KeepAlive(this);
            (consumed, written) = ((int)input.Position, (int)output.Position);
            return consumed == source.Length && (operation == EncodeOperation.Continue || remaining == 0);
        }
    }

    public void Dispose() => _context.Dispose();
}
