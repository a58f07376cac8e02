using StorageActors.Archive.Compression;
using StorageActors.Archive.Diff;
using StorageActors.Archive.Digests;
using StorageActors.Drivers;
using StorageActors.Protocol;

namespace StorageActors.DriverOperations;

/// <summary>Writes the tar of a difference to where the caller wants it, compressed if so asked, and digests what goes out.</summary>
internal sealed record SendDiff(DiffRequest Request, BlobTarget Target, LayerCompression Compression, bool Durable, ProgressTarget? Progress = null) : DriverOperation<StoreProtocol.DiffWritten>
{
    internal override string Verb => "diff";

    internal override OperationLane Lane => OperationLane.Content;

    /// <summary>A download cannot be written twice.</summary>
    internal override bool Repeatable => false;

    internal override StoreProtocol.DiffWritten Execute(DriverServices services, CancellationToken stop)
    {
        if (!Codec.CanEncode(Compression))
        {
            throw new PermanentDriverException(new StorageError(
                StorageErrorCode.Unsupported, Verb, $"a diff cannot be written as {Compression.ToString().ToLowerInvariant()}; none, gzip or zstd can"));
        }

        return BlobTargets.Write(Target, services.Transfers, Durable, output => Write(services, output, stop), stop);
    }

    private StoreProtocol.DiffWritten Write(DriverServices services, Stream output, CancellationToken stop)
    {
        if (Compression == LayerCompression.None)
        {
            var plain = services.Driver.WriteDiff(Request, Observed(output), stop);
            return new StoreProtocol.DiffWritten(plain.DiffId, plain.Size, plain.DiffId, plain.Size);
        }

        using var hashing = new HashingWriteStream(output);
        WrittenTar written;
        using (var encoder = Codec.OpenEncoder(hashing, Compression)) written = services.Driver.WriteDiff(Request, Observed(encoder), stop);
        var length = hashing.Length; // The digest begins anew when it is taken.
        return new StoreProtocol.DiffWritten(written.DiffId, written.Size, hashing.Finish(), length);

        Stream Observed(Stream target) => ObservedStream.Of(target, Progress?.Observe(services.Time));
    }

    /// <summary>Digests and counts what passes through.</summary>
    private sealed class HashingWriteStream(Stream output) : WriteOnlyStream
    {
        private readonly Sha256Hasher _hasher = new();

        public override long Length => _hasher.Length;

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            _hasher.Append(buffer);
            output.Write(buffer);
        }

        public override void Flush() => output.Flush();

        internal Digest Finish() => Digest.FromBytes(_hasher.Finish());

        protected override void Dispose(bool disposing)
        {
            if (disposing) _hasher.Dispose();
            base.Dispose(disposing);
        }
    }
}
