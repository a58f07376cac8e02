using StorageActors.Linux.Codecs;

namespace StorageActors.Archive.Compression;

/// <summary>Compresses into one zstd frame; disposing ends it and leaves the output open.</summary>
internal sealed class ZstdWriteStream(Stream output, ZstdEncoder encoder) : WriteOnlyStream
{
    private readonly byte[] _block = GC.AllocateUninitializedArray<byte>(256 << 10);
    private bool _ended;

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer) => Encode(buffer, EncodeOperation.Continue);

    /// <inheritdoc/>
    public override void Flush()
    {
        Encode(default, EncodeOperation.Flush);
        output.Flush();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing && !_ended)
        {
            _ended = true;
            try
            {
                Encode(default, EncodeOperation.End);
            }
            finally
            {
                encoder.Dispose();
            }
        }

        base.Dispose(disposing);
    }

    private void Encode(ReadOnlySpan<byte> source, EncodeOperation operation)
    {
        for (var done = false; !done;)
        {
            done = encoder.Encode(source, _block, operation, out var consumed, out var written);
            source = source[consumed..];
            if (written > 0) output.Write(_block, 0, written);
        }
    }
}
