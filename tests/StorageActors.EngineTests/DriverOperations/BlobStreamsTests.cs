using StorageActors.Drivers;
using StorageActors.DriverOperations;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.TestSupport;
using StorageActors.Transfers;
using Xunit;

namespace StorageActors.EngineTests.DriverOperations;

public sealed class BlobStreamsTests : IDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly TransferTable _transfers = new(TimeProvider.System);

    [Theory]
    [InlineData(0, null, "0123456789")]
    [InlineData(3, null, "3456789")]
    [InlineData(3, 4L, "3456")]
    [InlineData(8, 100L, "89")]
    [InlineData(20, null, "")]
    [InlineData(0, 0L, "")]
    public void A_part_of_a_file_is_read_as_it_is_named(long offset, long? length, string expected)
    {
        File.WriteAllText(_directory["blob"], "0123456789");
        using var stream = Open(new BlobSource(_directory["blob"], offset, length));
        using var reader = new StreamReader(stream);
        Assert.Equal(expected, reader.ReadToEnd());
    }

    [Fact]
    public async Task An_upload_is_read_to_the_length_that_was_announced()
    {
        var upload = _transfers.OpenUpload();
        await upload.Stream.WriteAsync("0123456789"u8.ToArray());
        await upload.Stream.DisposeAsync();
        using var stream = Open(BlobSource.FromUpload(upload.Id, 4));
        using var reader = new StreamReader(stream);
        Assert.Equal("0123", await reader.ReadToEndAsync());
    }

    [Fact]
    public void What_cannot_be_read_is_refused_by_its_kind()
    {
        Assert.Equal((StorageErrorCode.NotFound, "ENOENT"), Refusal(BlobSource.File(_directory["missing"])));
        Assert.Equal((StorageErrorCode.InvalidArgument, null), Refusal(BlobSource.File(_directory.Path)));
        Assert.Equal((StorageErrorCode.InvalidArgument, null), Refusal(BlobSource.File("relative")));
        Assert.Equal((StorageErrorCode.InvalidArgument, null), Refusal(new BlobSource()));
        Assert.Equal((StorageErrorCode.InvalidArgument, null), Refusal(new BlobSource("/x", Upload: TransferId.New())));
        Assert.Equal((StorageErrorCode.InvalidArgument, null), Refusal(new BlobSource("/x", Offset: -1)));
        Assert.Equal((StorageErrorCode.InvalidArgument, null), Refusal(new BlobSource("/x", Length: -1)));
    }

    [Fact]
    public void A_pipe_that_is_named_as_a_file_is_refused_without_waiting_for_its_writer()
    {
        Libc.MknodAt(_directory.Handle, "pipe"u8, FileType.Fifo, 0x180, default);
        Assert.Equal((StorageErrorCode.InvalidArgument, null), Refusal(BlobSource.File(_directory["pipe"])));
    }

    [Fact]
    public void A_device_is_written_to_and_stays_and_what_is_no_file_is_refused()
    {
        Libc.MknodAt(_directory.Handle, "null"u8, FileType.CharacterDevice, 0x1B6, new DeviceNumber(1, 3));
        Assert.Equal(3, BlobTargets.Write(new BlobTarget(_directory["null"]), _transfers, durable: true, WriteThree, CancellationToken.None));
        Assert.Equal(Errno.None, Libc.TryStat(_directory["null"], out var status));
        Assert.Equal(FileType.CharacterDevice, status.Type);

        Libc.MknodAt(_directory.Handle, "pipe"u8, FileType.Fifo, 0x180, default);
        foreach (var path in new[] { _directory["pipe"], _directory.Path })
        {
            var refused = Assert.Throws<PermanentDriverException>(() => BlobTargets.Write(new BlobTarget(path), _transfers, durable: true, WriteThree, CancellationToken.None));
            Assert.Equal(StorageErrorCode.InvalidArgument, refused.Error.Code);
        }

        static int WriteThree(Stream target)
        {
            target.Write("abc"u8);
            return 3;
        }
    }

    public void Dispose()
    {
        _transfers.Dispose();
        _directory.Dispose();
    }

    private Stream Open(BlobSource source) => BlobStreams.OpenSource(source, _transfers, CancellationToken.None);

    private (StorageErrorCode Code, string? Errno) Refusal(BlobSource source)
    {
        var error = Assert.Throws<PermanentDriverException>(() => Open(source)).Error;
        return (error.Code, error.Errno);
    }
}
