using StorageActors.Archive.Compression;
using StorageActors.Archive.Processors;
using StorageActors.Protocol;

namespace StorageActors.Archive.Apply;

/// <summary>The first half of an extraction: reads the blob, digests and decompresses it into the ring.</summary>
internal sealed class ExtractionReader(Stream blob, ExtractOptions options, IExtractionObserver? observer, CancellationToken stop) : IDisposable
{
    private readonly HashingReadStream _input = new(blob, options.ExpectedBlobSize ?? long.MaxValue);
    private long _reported;

    /// <summary>Entries applied so far, for the observer; set by the other thread.</summary>
    internal long Entries;

    /// <summary>What the blob turned out to be compressed with.</summary>
    internal LayerCompression Compression { get; private set; }

    /// <summary>Bytes of the blob.</summary>
    internal long BlobSize => _input.BytesRead;

    /// <summary>Bytes of the archive.</summary>
    internal long Size { get; private set; }

    /// <summary>Reads to the end of the blob, or until the user of the ring gives up. Does not throw: what goes wrong reaches the user.</summary>
    internal void Run(BlockRing ring)
    {
        try
        {
            var (decoded, compression) = Codec.OpenDecoder(_input);
            using (decoded)
            {
                Compression = compression;
                while (ring.Next() is { } block)
                {
                    var length = Fill(decoded, block);
                    if (length > 0) ring.Publish(length);
                    Size += length;
                    if (options.IsBomb(Size, BlobSize)) throw new DecompressionBombException(BlobSize, Size, options.MaximumRatio);
                    if (length == block.Length) continue;
                    _input.Drain();
                    Report();
                    break;
                }
            }

            ring.Complete();
        }
        catch (Exception e)
        {
            ring.Fail(e);
        }
    }

    /// <summary>The digest of the blob; to be asked once, after it was read to the end.</summary>
    internal Digest FinishDigest() => _input.FinishDigest();

    public void Dispose() => _input.Dispose();

    private int Fill(Stream decoded, byte[] block)
    {
        using var turn = ProcessorTurn.Take();   // left while the input is read
        var filled = 0;
        while (filled < block.Length)
        {
            stop.ThrowIfCancellationRequested();
            var count = decoded.Read(block, filled, block.Length - filled);
            if (_input.BytesRead != _reported)
            {
                using (ProcessorTurn.Leave()) Report();   // whoever hears it may start a thread, which must not inherit how a turn runs
            }

            if (count == 0) break;
            filled += count;
        }

        return filled;
    }

    private void Report()
    {
        _reported = _input.BytesRead;
        observer?.Advanced(_reported, Volatile.Read(ref Entries));
    }
}
