using System.Security.Cryptography;
using StorageActors.Archive.Compression;
using StorageActors.Archive.Digests;
using StorageActors.Archive.Tar;
using Xunit;

namespace StorageActors.UnitTests.Archive.Tar;

/// <summary>Output through a second thread: the same bytes in the same order, and its failures where the caller looks.</summary>
public sealed class BlockWriterTests
{
    private const int BlockSize = StreamBlockSource.DefaultBlockSize;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(BlockSize)]
    [InlineData(BlockSize + 1)]
    [InlineData((7 * BlockSize) + 12_345)]
    public void The_stream_gets_what_was_written_and_the_digest_is_that_of_it(int length)
    {
        var content = RandomNumberGenerator.GetBytes(length);
        using var output = new MemoryStream();
        using var hasher = new Sha256Hasher();
        using var writer = new BlockWriter(output, hasher);
        for (var at = 0; at < length;)
        {
            var count = Math.Min(length - at, 1 + (at % 70_001));
            writer.Write(content.AsSpan(at, count));
            at += count;
        }

        writer.Flush();
        Assert.Equal(length, writer.Position);
        Assert.Equal(SHA256.HashData(content), SHA256.HashData(output.GetBuffer().AsSpan(0, (int)output.Length)));
        Assert.Equal(SHA256.HashData(content), hasher.Finish());
    }

    [Fact]
    public void What_is_made_in_place_goes_out_in_its_turn()
    {
        using var output = new MemoryStream();
        using var writer = new BlockWriter(output);
        var expected = new List<byte>();
        for (byte round = 1; round <= 5; round++)
        {
            writer.WriteZeros(513);
            expected.AddRange(new byte[513]);
            var free = writer.Free(BlockSize / 2);
            free[..(BlockSize / 2)].Fill(round);
            writer.Advance(BlockSize / 2);
            expected.AddRange(Enumerable.Repeat(round, BlockSize / 2));
        }

        writer.Flush();
        Assert.True(output.ToArray().AsSpan().SequenceEqual(expected.ToArray()));
    }

    [Fact]
    public void What_fits_into_a_block_needs_no_second_thread()
    {
        var output = new Recorder();
        using var writer = new BlockWriter(output);
        writer.Write(new byte[BlockSize]);
        Assert.Empty(output.Threads);
        writer.Flush();
        Assert.Equal([Environment.CurrentManagedThreadId], output.Threads);
    }

    [Fact]
    public void It_goes_on_after_a_flush()
    {
        using var output = new MemoryStream();
        using var hasher = new Sha256Hasher();
        using var writer = new BlockWriter(output, hasher);
        var content = RandomNumberGenerator.GetBytes(3 * BlockSize);
        for (var round = 0; round < 3; round++)
        {
            writer.Write(content);
            writer.Flush();
            Assert.Equal((round + 1) * content.Length, output.Length);
        }

        byte[] all = [.. content, .. content, .. content];
        Assert.Equal(SHA256.HashData(all), SHA256.HashData(output.ToArray()));
        Assert.Equal(SHA256.HashData(all), hasher.Finish());
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(BlockWriter.Capacity + 1)]
    [InlineData(20)]
    public void A_failure_of_the_second_thread_reaches_the_caller(int blocks)
    {
        using var writer = new BlockWriter(new Recorder { Failure = new IOException("the disk is full") });
        var block = new byte[BlockSize];
        void WriteAll()
        {
            for (var i = 0; i < blocks; i++) writer.Write(block);
            writer.Flush();
        }

        Assert.Equal("the disk is full", Assert.Throws<IOException>(WriteAll).Message);
        Assert.Equal("the disk is full", Assert.Throws<IOException>(writer.Flush).Message);
    }

    [Fact]
    public void A_failed_stream_is_not_written_to_again()
    {
        var output = new Recorder { Failure = new IOException("the disk is full") };
        using (var writer = new BlockWriter(output))
        {
            for (var i = 0; i < 3; i++) Assert.ThrowsAny<IOException>(() => WriteMuch(writer));
        }

        Assert.Single(output.Threads);

        static void WriteMuch(BlockWriter writer)
        {
            for (var i = 0; i <= BlockWriter.Capacity; i++) writer.Write(new byte[BlockSize]);
        }
    }

    [Fact]
    public void The_caller_digests_while_the_stream_keeps_it_waiting()
    {
        using var hasher = new Sha256Hasher();
        var digested = false;
        var output = new Recorder
        {
            // All blocks are full, the first is being written: who else could digest them?
            Writing = () => digested = digested || SpinWait.SpinUntil(() => hasher.Length >= BlockWriter.Capacity * BlockSize, TimeSpan.FromMinutes(1)),
        };
        var content = RandomNumberGenerator.GetBytes((2 * BlockWriter.Capacity * BlockSize) + 1);
        using var writer = new BlockWriter(output, hasher);
        writer.Write(content);
        writer.Flush();
        Assert.True(digested);
        Assert.Equal(SHA256.HashData(content), hasher.Finish());
    }

    [Fact]
    public void Disposal_returns_when_the_second_thread_has_ended()
    {
        using var began = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        var ended = false;
        var writer = new BlockWriter(new Recorder
        {
            Writing = () =>
            {
                began.Set();
                goOn.Wait();
                Volatile.Write(ref ended, true);
            },
        });
        writer.Write(new byte[BlockSize + 1]);
        began.Wait();
        var releasing = new Thread(goOn.Set);
        releasing.Start();
        writer.Dispose();
        Assert.True(Volatile.Read(ref ended));
        releasing.Join();
    }

    /// <summary>Notes who writes, and fails if it is told to.</summary>
    private sealed class Recorder : WriteOnlyStream
    {
        internal List<int> Threads { get; } = [];

        internal IOException? Failure { get; init; }

        internal Action Writing { get; init; } = static () => { };

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            Threads.Add(Environment.CurrentManagedThreadId);
            Writing();
            if (Failure is not null) throw Failure;
        }

        public override void Flush()
        {
        }
    }
}
