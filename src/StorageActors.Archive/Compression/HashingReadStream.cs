using StorageActors.Archive.Digests;
using StorageActors.Archive.Processors;
using StorageActors.Protocol;

namespace StorageActors.Archive.Compression;

/// <summary>Reads a stream in large blocks, counts and digests all of it, and hands it on in pieces of any size. The blob of a layer is
/// read through one: its digest covers every byte, also those that the decompressor never asks for (<see cref="Drain"/>).</summary>
internal sealed class HashingReadStream : ReadOnlyStream
{
    private const int BlockSize = 256 << 10;

    private readonly Stream _input;
    private readonly long _limit;
    private readonly Sha256Hasher _hasher = new();
    private readonly byte[] _block = GC.AllocateUninitializedArray<byte>(BlockSize);
    private int _start;
    private int _end;

    /// <param name="input">Not disposed.</param>
    /// <param name="limit">More bytes than this are an <see cref="InputTooLargeException"/>.</param>
    internal HashingReadStream(Stream input, long limit = long.MaxValue) => (_input, _limit) = (input, limit);

    /// <summary>Bytes taken from the input so far.</summary>
    internal long BytesRead { get; private set; }

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        if (_start == _end && !Fill()) return 0;
        var count = Math.Min(buffer.Length, _end - _start);
        _block.AsSpan(_start, count).CopyTo(buffer);
        _start += count;
        return count;
    }

    /// <summary>Reads and digests what is left of the input.</summary>
    internal void Drain()
    {
        while (Fill()) { }
        _start = _end;
    }

    /// <summary>The digest of all that was read; to be asked once, after <see cref="Drain"/>.</summary>
    internal Digest FinishDigest() => Digest.FromBytes(_hasher.Finish());

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) _hasher.Dispose();
        base.Dispose(disposing);
    }

    private bool Fill()
    {
        _start = _end = 0;
        using (ProcessorTurn.Leave()) _end = _input.Read(_block, 0, BlockSize);
        if (_end == 0) return false;
        BytesRead += _end;
        if (BytesRead > _limit) throw new InputTooLargeException(_limit);
        _hasher.Append(_block.AsSpan(0, _end));
        return true;
    }
}
