using System.Security.Cryptography;
using StorageActors.EngineTests.Support;
using StorageActors.Protocol;
using StorageActors.Transfers;
using Xunit;

namespace StorageActors.EngineTests.Transfers;

public sealed class TransferTableTests : IDisposable
{
    private static readonly TimeSpan Patience = Patient.Limit;
    private readonly ManualTime _time = new();
    private readonly TransferTable _transfers;

    public TransferTableTests() => _transfers = new TransferTable(_time);

    [Fact]
    public async Task Bytes_arrive_as_they_were_sent_however_they_are_cut()
    {
        var sent = RandomNumberGenerator.GetBytes(5_000_000);
        var upload = _transfers.OpenUpload();
        var reading = Task.Run(() =>
        {
            using var stream = _transfers.ClaimUpload(upload.Id, CancellationToken.None);
            var received = new MemoryStream();
            stream.CopyTo(received, 77_777);
            return received.ToArray();
        });
        for (var offset = 0; offset < sent.Length;)
        {
            var count = Math.Min(123_457, sent.Length - offset);
            await upload.Stream.WriteAsync(sent.AsMemory(offset, count));
            offset += count;
        }

        await upload.Stream.DisposeAsync();
        Assert.Equal(sent, await reading.WaitAsync(Patience));
        Assert.Equal(0, _transfers.Count);
    }

    [Fact]
    public async Task A_download_arrives_whole_and_ends_when_its_writer_is_done()
    {
        var sent = RandomNumberGenerator.GetBytes(5_000_000);
        var download = _transfers.OpenDownload();
        var writing = Task.Run(() =>
        {
            using var stream = _transfers.ClaimDownload(download.Id, CancellationToken.None);
            for (var offset = 0; offset < sent.Length; offset += 50_000) stream.Write(sent, offset, 50_000);
        });
        var received = new MemoryStream();
        await download.Stream.CopyToAsync(received);
        await writing.WaitAsync(Patience);
        Assert.Equal(sent, received.ToArray());
        await download.Stream.DisposeAsync();
        Assert.Equal(0, _transfers.Count);
    }

    [Fact]
    public async Task A_writer_that_is_far_ahead_waits_for_the_reader()
    {
        var upload = _transfers.OpenUpload();
        using var stream = _transfers.ClaimUpload(upload.Id, CancellationToken.None);
        await upload.Stream.WriteAsync(new byte[100_000]);
        var ahead = upload.Stream.WriteAsync(new byte[2_000_000]).AsTask();
        Assert.False(ahead.IsCompleted);
        stream.ReadExactly(new byte[2_100_000]);
        await ahead.WaitAsync(Patience);
        await upload.Stream.DisposeAsync();
        Assert.Equal(0, stream.ReadAtLeast(new byte[1], 1, throwOnEndOfStream: false));
    }

    [Fact]
    public async Task A_writer_learns_that_nobody_reads_any_more()
    {
        var upload = _transfers.OpenUpload();
        var stream = _transfers.ClaimUpload(upload.Id, CancellationToken.None);
        var blocked = upload.Stream.WriteAsync(new byte[2_000_000]).AsTask();
        await stream.DisposeAsync();
        await Assert.ThrowsAsync<IOException>(() => blocked.WaitAsync(Patience));
        await Assert.ThrowsAsync<IOException>(async () => await upload.Stream.WriteAsync(new byte[1]));
        await upload.Stream.DisposeAsync();
        Assert.Equal(0, _transfers.Count);
    }

    [Fact]
    public async Task A_reader_that_vanishes_stops_the_writing_thread()
    {
        var download = _transfers.OpenDownload();
        var writing = Task.Run(() =>
        {
            using var stream = _transfers.ClaimDownload(download.Id, CancellationToken.None);
            var block = new byte[100_000];
            while (true) stream.Write(block);
        });
        await download.Stream.ReadExactlyAsync(new byte[10]);
        await download.Stream.DisposeAsync();
        await Assert.ThrowsAsync<IOException>(() => writing.WaitAsync(Patience));
        Assert.Equal(0, _transfers.Count);
    }

    [Fact]
    public async Task An_upload_that_is_aborted_is_an_error_for_its_reader_and_never_an_end()
    {
        var upload = _transfers.OpenUpload();
        await upload.Stream.WriteAsync(new byte[10]);
        var reading = Task.Run(() =>
        {
            using var stream = _transfers.ClaimUpload(upload.Id, CancellationToken.None);
            stream.CopyTo(Stream.Null);
        });
        _transfers.Abort(upload.Id, "the client hung up");
        var error = (await Assert.ThrowsAsync<StorageException>(() => reading.WaitAsync(Patience))).Error;
        Assert.Equal(StorageErrorCode.Cancelled, error.Code);
        Assert.Contains("the client hung up", error.Message, StringComparison.Ordinal);
        var refused = await Assert.ThrowsAsync<IOException>(() => upload.Stream.WriteAsync(new byte[10]).AsTask());
        Assert.Contains("the client hung up", refused.Message, StringComparison.Ordinal);
        await upload.Stream.DisposeAsync(); // What a host does in its finally block, late.
        Assert.Equal(0, _transfers.Count);
    }

    [Fact]
    public async Task A_download_that_its_writer_gives_up_is_an_error_for_its_reader()
    {
        var download = _transfers.OpenDownload();
        var stream = _transfers.ClaimDownload(download.Id, CancellationToken.None);
        stream.Write(new byte[10]);
        stream.Abort(new IOException("the disk fails"));
        await Assert.ThrowsAsync<IOException>(() => download.Stream.CopyToAsync(Stream.Null));
    }

    [Fact]
    public async Task A_blocked_reader_is_woken_by_its_cancellation()
    {
        using var stop = new CancellationTokenSource();
        var upload = _transfers.OpenUpload();
        var stream = _transfers.ClaimUpload(upload.Id, stop.Token);
        var reading = Task.Run(() => stream.Read(new byte[1]));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading.WaitAsync(Patience));
        await stream.DisposeAsync();
        await Assert.ThrowsAsync<IOException>(async () => await upload.Stream.WriteAsync(new byte[1]));
    }

    [Fact]
    public async Task A_blocked_writer_is_woken_by_its_cancellation()
    {
        using var stop = new CancellationTokenSource();
        var download = _transfers.OpenDownload();
        var stream = _transfers.ClaimDownload(download.Id, stop.Token);
        var writing = Task.Run(() => stream.Write(new byte[3_000_000]));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writing.WaitAsync(Patience));
    }

    [Fact]
    public void A_stream_serves_one_command_in_one_direction()
    {
        var upload = _transfers.OpenUpload();
        Assert.Equal(StorageErrorCode.NotFound, Refusal(() => _transfers.ClaimDownload(upload.Id, CancellationToken.None)));
        _transfers.ClaimUpload(upload.Id, CancellationToken.None);
        Assert.Equal(StorageErrorCode.NotFound, Refusal(() => _transfers.ClaimUpload(upload.Id, CancellationToken.None)));
        Assert.Equal(StorageErrorCode.NotFound, Refusal(() => _transfers.ClaimUpload(TransferId.New(), CancellationToken.None)));
    }

    [Fact]
    public async Task A_stream_that_no_command_names_is_given_up_after_a_while_and_one_in_use_is_not()
    {
        var (forgotten, used) = (_transfers.OpenUpload(), _transfers.OpenUpload());
        using var stream = _transfers.ClaimUpload(used.Id, CancellationToken.None);
        _time.Advance(TransferTable.ClaimTimeout - TimeSpan.FromMinutes(1));
        Assert.Equal(2, _transfers.Count);
        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(1, _transfers.Count);
        await Assert.ThrowsAnyAsync<Exception>(async () => await forgotten.Stream.WriteAsync(new byte[1]));
        await used.Stream.WriteAsync(new byte[1]);
        Assert.Equal(1, stream.Read(new byte[10]));
    }

    [Fact]
    public async Task Nobody_is_left_waiting_when_the_engine_stops()
    {
        var upload = _transfers.OpenUpload();
        using var stream = _transfers.ClaimUpload(upload.Id, CancellationToken.None);
        var reading = Task.Run(() => stream.Read(new byte[1]));
        _transfers.Dispose();
        await Assert.ThrowsAsync<StorageException>(() => reading.WaitAsync(Patience));
    }

    public void Dispose() => _transfers.Dispose();

    private static StorageErrorCode Refusal(Func<Stream> claim) => Assert.Throws<StorageException>(claim).Error.Code;

    /// <summary>A clock that a test turns; its one timer fires as it is passed.</summary>
    private sealed class ManualTime : TimeProvider
    {
        private DateTimeOffset _now = DateTimeOffset.UnixEpoch;
        private Action? _tick;

        public override DateTimeOffset GetUtcNow() => _now;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            _tick = () => callback(state);
            return new Ticking();
        }

        internal void Advance(TimeSpan by)
        {
            _now += by;
            _tick!();
        }

        private sealed class Ticking : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
