using System.IO.Compression;
using System.Security.Cryptography;
using BenchmarkDotNet.Attributes;
using StorageActors.Archive.Digests;

namespace StorageActors.Benchmarks.Parts;

/// <summary>What is done to each block of an archive.</summary>
[MemoryDiagnoser]
public class StreamParts
{
    private const int Size = 1 << 20;

    private readonly byte[] _block = new byte[Size];
    private byte[] _compressed = [];

    /// <summary>A block as compressible as program text.</summary>
    [GlobalSetup]
    public void Setup()
    {
        using var text = File.OpenRead(typeof(object).Assembly.Location);
        text.ReadExactly(_block);
        using var target = new MemoryStream();
        using (var gzip = new GZipStream(target, CompressionLevel.Optimal)) gzip.Write(_block);
        _compressed = target.ToArray();
    }

    /// <summary>The digest of a layer.</summary>
    [Benchmark]
    public byte[] Sha256() => SHA256.HashData(_block);

    /// <summary>The checksum of a payload in the record of the tar's structure.</summary>
    [Benchmark]
    public ulong Crc64Iso() => Crc64.Append(0, _block);

    /// <summary>Decompression by the runtime, which is what is left without the native decoder.</summary>
    [Benchmark]
    public int Inflate()
    {
        using var gzip = new GZipStream(new MemoryStream(_compressed), CompressionMode.Decompress);
        var total = 0;
        int read;
        while ((read = gzip.Read(_block)) > 0) total += read;
        return total;
    }
}
