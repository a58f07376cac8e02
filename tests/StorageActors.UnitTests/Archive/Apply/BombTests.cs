using System.IO.Compression;
using StorageActors.Archive.Apply;
using StorageActors.Archive.Compression;
using StorageActors.Linux.Codecs;
using StorageActors.Protocol;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.UnitTests.Archive.Apply;

/// <summary>Small input that would become large: refused before it has.</summary>
public sealed class BombTests
{
    private const int Block = 512;
    private static readonly ExtractOptions Limits = new() { MaximumRatio = 200, RatioFrom = 8 << 20 };

    [SkippableTheory]
    [InlineData(LayerCompression.Gzip)]
    [InlineData(LayerCompression.Zstd)]
    public void A_blob_that_unfolds_to_many_times_its_size_is_refused_before_it_has(LayerCompression compression)
    {
        RequiredTiers.SkipUnless(compression != LayerCompression.Zstd || ZstdEncoder.IsAvailable, "codecs", $"needs the library of {compression}");
        using var lab = new LayerLab();
        var refusal = Assert.Throws<LayerApplyException>(() => lab.Add(Zeros(compression, 256 << 20), Limits));
        Assert.Equal(StorageErrorCode.LimitExceeded, refusal.Error.Code);
        Assert.Contains("limits.ratio", refusal.Message, StringComparison.Ordinal);
        Assert.InRange(new FileInfo(Path.Combine(lab.DiffOf(0), "bomb")).Length, 0, 128 << 20);
    }

    [SkippableFact]
    public void A_dense_blob_that_stays_small_is_no_bomb()
    {
        using var lab = new LayerLab();
        lab.Add(Zeros(LayerCompression.Gzip, 4 << 20), Limits);
        Assert.Equal((4 << 20) + (3 * Block), lab.Last.Size);
    }

    [SkippableFact]
    public void A_large_layer_of_usual_density_is_no_bomb()
    {
        // A fiftieth of it cannot be packed: 16 MiB of tar in more than 300 KiB.
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            gzip.Write(new RawTar().Header("dense"u8.ToArray(), 16 << 20, '0').ToArray());
            var (random, piece) = (new Random(1), new byte[1 << 16]);
            for (var written = 0; written < 16 << 20; written += piece.Length)
            {
                random.NextBytes(piece.AsSpan(0, piece.Length / 50));
                gzip.Write(piece);
            }

            gzip.Write(new byte[2 * Block]);
        }

        using var lab = new LayerLab();
        lab.Add(packed.ToArray(), Limits);
        Assert.Equal((16 << 20) + (3 * Block), lab.Last.Size);
    }

    [SkippableFact]
    public void Directories_that_entries_only_imply_count_as_entries()
    {
        var tar = new LayerTar();
        for (var i = 0; i < 5; i++) tar.File($"d{i}/{string.Join('/', Enumerable.Repeat("d", 30))}/f");
        var bytes = tar.ToArray();
        using var lab = new LayerLab();
        var refusal = Assert.Throws<LayerApplyException>(() => lab.Add(bytes, new ExtractOptions { MaximumEntries = 100 }));
        Assert.Equal(StorageErrorCode.LimitExceeded, refusal.Error.Code);
        using var other = new LayerLab();
        other.Add(bytes, new ExtractOptions { MaximumEntries = 5 * 32 });
        Assert.Equal(5, other.Last.Entries);
    }

    /// <summary>A file of zeros in a tar.</summary>
    private static byte[] Zeros(LayerCompression compression, int size)
    {
        using var packed = new MemoryStream();
        using (var encoder = Codec.OpenEncoder(packed, compression, fast: false))
        {
            encoder.Write(new RawTar().Header("bomb"u8.ToArray(), size, '0').ToArray());
            var zeros = new byte[1 << 20];
            for (var written = 0; written < size; written += zeros.Length) encoder.Write(zeros);
            encoder.Write(new byte[2 * Block]);
        }

        return packed.ToArray();
    }
}
