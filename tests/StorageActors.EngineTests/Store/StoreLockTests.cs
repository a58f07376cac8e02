using StorageActors.DriverOperations;
using StorageActors.EngineTests.Support;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.Recovery;
using StorageActors.Store;
using StorageActors.Trash;
using Xunit;

namespace StorageActors.EngineTests.Store;

/// <summary>How long the store's lock is held, and what is done before it is taken so that this is short.</summary>
public sealed class StoreLockTests : IDisposable
{
    private const string Rehearsal = ".rehearsal";

    private readonly TestStore _store = new();

    private string[] Homes => [_store.Layout.DriverHome, _store.Layout.ImageHome, _store.Layout.TrashHome];

    [Fact]
    public void A_hold_is_what_the_section_takes_also_one_that_throws()
    {
        var time = new SteppedTime();
        using var metrics = new StoreMetrics();
        using var storeLock = new StoreLock(_store.Layout.StoreLock, metrics, time);
        storeLock.Under("first", () => time.Advance(TimeSpan.FromMilliseconds(3)));
        storeLock.Under("again", () => time.Advance(TimeSpan.FromMilliseconds(2)));
        Assert.Throws<InvalidOperationException>(() => storeLock.Under("throws", () =>
        {
            time.Advance(TimeSpan.FromMilliseconds(1));
            throw new InvalidOperationException();
        }));
        var longest = metrics.Latencies().Where(static latency => latency.Operation is not null)
            .ToDictionary(static latency => $"{latency.Operation}, {latency.Measure}", static latency => latency.LongestSeconds);
        Assert.Equal(
            new Dictionary<string, double>
            {
                ["first, hold"] = 0.003, ["first, wait"] = 0, ["again, hold"] = 0.002, ["again, wait"] = 0, ["throws, hold"] = 0.001, ["throws, wait"] = 0,
            },
            longest);
    }

    [Fact]
    public void A_rehearsal_is_measured_where_there_is_one()
    {
        var time = new SteppedTime { Step = TimeSpan.TicksPerMillisecond };
        using var metrics = new StoreMetrics();
        using var storeLock = new StoreLock(_store.Layout.StoreLock, metrics, time);
        using var trash = Libc.OpenDirectory(_store.Layout.TrashHome);
        storeLock.Under("renames", static () => true, trash);
        storeLock.Under("looks", static () => true);
        var measured = metrics.Latencies().Where(static latency => latency is { Operation: not null, Measure: "rehearse" });
        Assert.Equal([("renames", 1L, 0.001)], measured.Select(static latency => (latency.Operation!, latency.Count, latency.LongestSeconds)));
    }

    [Fact]
    public void A_rehearsal_changes_each_directory_and_leaves_nothing_in_it()
    {
        _store.Services.Lock.Under("test", static () => { });   // makes the file
        var past = new DateTime(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc);
        foreach (var home in Homes) Directory.SetLastWriteTimeUtc(home, past);
        Rehearse();
        Assert.All(Homes, home => Assert.NotEqual(past, Directory.GetLastWriteTimeUtc(home)));
        Assert.All(Homes, static home => Assert.Empty(Directory.GetFileSystemEntries(home)));
        Assert.Equal(1u, Libc.Stat(_store.Layout.StoreLock).Links);
    }

    [Fact]
    public void A_rehearsal_that_cannot_be_made_keeps_nobody_from_the_lock()
    {
        Assert.False(File.Exists(_store.Layout.StoreLock));
        Rehearse();
        using var gone = Libc.OpenDirectory(_store.Layout.TrashHome);
        Directory.Delete(_store.Layout.TrashHome);
        _store.Services.Lock.Rehearse(gone);
        Assert.Equal(1, _store.Services.Lock.Under("test", static () => 1));
    }

    [Fact]
    public void What_a_death_left_of_a_rehearsal_is_no_layer_no_image_and_no_trash_and_is_gone_after_the_next_one()
    {
        Leave();
        Assert.Empty(_store.Run(new ListTrash(IsSettled: true)));
        Assert.Empty(_store.Run(new ListTrash(IsSettled: false)));
        var listing = _store.Run(new ListStore());
        Assert.Empty(listing.Layers);
        Assert.Empty(listing.Images);
        Assert.Empty(listing.Foreign);
        Rehearse();
        Assert.All(Homes, static home => Assert.Empty(Directory.GetFileSystemEntries(home)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_a_death_left_of_a_rehearsal_is_gone_after_the_next_start_and_the_next_sweep(bool atStart)
    {
        Leave();
        Assert.Empty(_store.Run(new SweepStagings(atStart)));
        Assert.All(Homes, static home => Assert.Empty(Directory.GetFileSystemEntries(home)));
        Assert.True(File.Exists(_store.Layout.StoreLock));
    }

    public void Dispose() => _store.Dispose();

    private void Leave()
    {
        _store.Services.Lock.Under("test", static () => { });
        foreach (var home in Homes)
        {
            using var directory = Libc.OpenDirectory(home);
            Libc.LinkAt(Libc.CurrentDirectory, System.Text.Encoding.UTF8.GetBytes(_store.Layout.StoreLock), directory, ".rehearsal"u8);
            Assert.True(File.Exists(Path.Combine(home, Rehearsal)));
        }
    }

    private void Rehearse()
    {
        using var layers = Libc.OpenDirectory(_store.Layout.DriverHome);
        using var images = Libc.OpenDirectory(_store.Layout.ImageHome);
        using var trash = Libc.OpenDirectory(_store.Layout.TrashHome);
        _store.Services.Lock.Rehearse(layers, images, trash);
    }

    /// <summary>Time that passes when it is told to.</summary>
    private sealed class SteppedTime : TimeProvider
    {
        private long _ticks = 1;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        /// <summary>So much passes whenever somebody looks.</summary>
        internal long Step { get; init; }

        public override long GetTimestamp() => _ticks += Step;

        internal void Advance(TimeSpan time) => _ticks += time.Ticks;
    }
}
