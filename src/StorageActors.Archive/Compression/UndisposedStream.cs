namespace StorageActors.Archive.Compression;

/// <summary>Passes everything on but its own disposal.</summary>
internal sealed class UndisposedStream(Stream output) : WriteOnlyStream
{
    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer) => output.Write(buffer);

    /// <inheritdoc/>
    public override void Flush() => output.Flush();
}
