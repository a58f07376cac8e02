using System.IO.Compression;
using System.Security.Cryptography;
using StorageActors.Archive.Apply;
using StorageActors.Archive.Compression;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.UnitTests.Archive.Apply;

/// <summary>The two threads of an extraction: order, digests, back-pressure, failure on either side.</summary>
public sealed class PipelineTests
{
    [Theory]
    [InlineData(1, 0)]
    [InlineData(7, 3)]
    [InlineData(40, 123_456)]
    public void Blocks_arrive_in_order_and_their_digest_is_that_of_the_whole(int blocks, int rest)
    {
        var content = new byte[((blocks - 1) * BlockRing.BlockSize) + (rest == 0 ? BlockRing.BlockSize : rest)];
        new Random(5).NextBytes(content);
        using var ring = new BlockRing();
        var maker = new Thread(() =>
        {
            for (var at = 0; at < content.Length; at += BlockRing.BlockSize)
            {
                var block = ring.Next()!;
                var length = Math.Min(BlockRing.BlockSize, content.Length - at);
                content.AsSpan(at, length).CopyTo(block);
                ring.Publish(length);
            }

            ring.Complete();
        });
        maker.Start();
        using var received = new MemoryStream();
        for (var block = ring.NextBlock(); !block.IsEmpty; block = ring.NextBlock()) received.Write(block.Span);
        Assert.True(ring.NextBlock().IsEmpty);
        maker.Join();
        Assert.Equal(SHA256.HashData(content), SHA256.HashData(received.ToArray()));
        Assert.Equal(Digest.Of(content), ring.FinishDigest());
    }

    [Fact]
    public void A_maker_that_fails_is_heard_after_what_it_made_before()
    {
        using var ring = new BlockRing();
        ring.Next()![0] = 42;
        ring.Publish(1);
        ring.Fail(new InvalidDataException("broken"));
        Assert.Equal(42, ring.NextBlock().Span[0]);
        Assert.Equal("broken", Assert.Throws<InvalidDataException>(() => ring.NextBlock()).Message);
    }

    [Fact]
    public void A_maker_does_not_run_ahead_without_end_and_stops_when_nobody_wants_more()
    {
        using var ring = new BlockRing();
        var made = 0;
        var maker = new Thread(() =>
        {
            for (; ring.Next() is not null; made++) ring.Publish(BlockRing.BlockSize);
        });
        maker.Start();
        Assert.False(ring.NextBlock().IsEmpty);
        ring.Abandon();
        maker.Join();
        Assert.InRange(made, 1, 9);
    }

    [SkippableFact]
    public void An_error_of_the_source_comes_out_as_it_is()
    {
        using var lab = new LayerLab();
        var tar = new LayerTar().File("a", new string('x', 100_000)).ToArray();
        Assert.Equal("the line broke", Assert.Throws<IOException>(() => lab.Add(new InterruptedStream(tar, 50_000, static () => throw new IOException("the line broke")))).Message);
    }

    [SkippableFact]
    public void Cancellation_ends_the_extraction_in_the_middle()
    {
        using var lab = new LayerLab();
        using var stop = new CancellationTokenSource();
        var tar = new LayerTar();
        for (var i = 0; i < 3000; i++) tar.File("f" + i, new string('x', 1000));
        Assert.Throws<OperationCanceledException>(() => lab.Add(new InterruptedStream(tar.ToArray(), 2_000_000, stop.Cancel), stop: stop.Token));
    }

    [SkippableFact]
    public void Progress_tells_bytes_and_entries_and_ends_with_all_of_them()
    {
        using var home = new TempDirectory();
        using var root = Libc.OpenDirectory(home.Path);
        Libc.MkdirAt(root, "diff"u8, 0x1ed);
        using var diff = Libc.OpenDirectoryAt(root, "diff"u8);
        var observer = new Observer();
        var tar = new LayerTar();
        for (var i = 0; i < 2000; i++) tar.File("f" + i, new string('x', 1000));
        var blob = tar.ToArray();
        var target = new ExtractTarget { Root = diff, LayerDirectory = root, Whiteouts = LayerLab.OverlayFormat, Below = EmptyLowerView.Instance };
        LayerExtractor.Extract(new MemoryStream(blob), target, new ExtractOptions(), observer, CancellationToken.None, out var deferred);
        Assert.True(deferred.IsEmpty);
        Assert.Equal((blob.Length, 2000), observer.Seen[^1]);
        Assert.Equal(observer.Seen.Order(), observer.Seen);
        Assert.True(observer.Seen.Count > 4);
    }

    [SkippableTheory]
    [InlineData(LayerCompression.None)]
    [InlineData(LayerCompression.Gzip)]
    [InlineData(LayerCompression.Zstd)]
    public void Every_compression_gives_the_same_layer(LayerCompression compression)
    {
        var tar = new LayerTar();
        for (var i = 0; i < 500; i++) tar.File($"d{i % 7}/f{i}", new string((char)('a' + (i % 26)), i * 40), time: i);
        var plain = tar.ToArray();
        using var packed = new MemoryStream();
        using (var encoder = Codec.OpenEncoder(packed, compression)) encoder.Write(plain);
        using var lab = new LayerLab();
        lab.Add(packed.ToArray());
        Assert.Equal((compression, Digest.Of(plain), Digest.Of(packed.ToArray())), (lab.Last.Compression, lab.Last.DiffId, lab.Last.BlobDigest));
        Assert.Equal(plain, lab.Reassemble(0));
    }

    [SkippableFact]
    public void An_empty_archive_is_a_layer_without_content()
    {
        using var lab = new LayerLab();
        lab.Add(new LayerTar().ToArray());
        Assert.Equal((Digest.EmptyLayer, 0L), (lab.Last.DiffId, lab.Last.Entries));
        Assert.Empty(lab.Names());
    }

    [SkippableFact]
    public void The_process_keeps_its_umask()
    {
        using var lab = new LayerLab();
        var before = Umask();
        lab.Add(new LayerTar().File("a", mode: 0x1ff));
        Assert.Equal(before, Umask());

        static string Umask() => File.ReadLines("/proc/self/status").First(line => line.StartsWith("Umask", StringComparison.Ordinal));
    }

    private sealed class Observer : IExtractionObserver
    {
        internal List<(long Bytes, long Entries)> Seen { get; } = [];

        public void Advanced(long bytesRead, long entries) => Seen.Add((bytesRead, entries));
    }
}
