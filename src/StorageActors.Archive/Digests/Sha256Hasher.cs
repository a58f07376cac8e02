using System.Security.Cryptography;

namespace StorageActors.Archive.Digests;

/// <summary>SHA-256 of bytes that come in pieces. Give it large pieces: a call costs as much as hashing a kilobyte.</summary>
internal sealed class Sha256Hasher : IDisposable
{
    /// <summary>Bytes in a digest.</summary>
    internal const int Size = SHA256.HashSizeInBytes;

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>Bytes hashed since the last digest.</summary>
    internal long Length { get; private set; }

    internal void Append(ReadOnlySpan<byte> bytes)
    {
        _hash.AppendData(bytes);
        Length += bytes.Length;
    }

    /// <summary>The digest of everything so far; begins anew.</summary>
    internal byte[] Finish()
    {
        Length = 0;
        return _hash.GetHashAndReset();
    }

    /// <inheritdoc/>
    public void Dispose() => _hash.Dispose();
}
