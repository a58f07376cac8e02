using StorageActors.Archive.Tar;
using Xunit;

namespace StorageActors.UnitTests.Archive.Tar;

public sealed class BlockPoolTests
{
    private const int Size = 256 << 10;
    private readonly Clock _clock = new();

    [Fact]
    public void What_is_given_back_is_used_again_the_last_one_first()
    {
        var pool = Pool(kept: 2);
        byte[][] blocks = [pool.Rent(), pool.Rent(), pool.Rent()];
        foreach (var block in blocks) pool.Return(block);
        Assert.Equal((2, 2), pool.Count);
        Assert.Same(blocks[1], pool.Rent());
        Assert.Same(blocks[0], pool.Rent());
        var other = pool.Rent();
        Assert.All(blocks, block => Assert.NotSame(block, other));
    }

    [Fact]
    public void What_nobody_has_used_since_the_last_look_gives_its_memory_back_and_is_used_again()
    {
        var pool = Pool();
        byte[][] blocks = [Full(pool), Full(pool), Full(pool)];
        foreach (var block in blocks) pool.Return(block);
        Assert.All(blocks, static block => Assert.True(IsFull(block)));
        _clock.Fire(); // It begins with the first that comes back.
        _clock.Fire();
        Assert.Equal((3, 0), pool.Count);
        Assert.All(blocks, static block => Assert.True(IsGiven(block)));

        var again = Full(pool);
        Assert.Contains(blocks, block => ReferenceEquals(block, again));
        Assert.True(IsFull(again));
        Assert.Equal((2, 0), pool.Count);
    }

    [Fact]
    public void What_is_in_use_or_was_used_between_two_looks_keeps_its_memory()
    {
        var pool = Pool();
        byte[][] blocks = [Full(pool), Full(pool), Full(pool)];
        foreach (var block in blocks[..2]) pool.Return(block);
        var used = pool.Rent();
        pool.Return(used);
        _clock.Fire();
        Assert.Equal((2, 1), pool.Count);
        Assert.True(IsFull(blocks[1]));
        Assert.True(IsGiven(blocks[0]));
        Assert.True(IsFull(blocks[2]));
        _clock.Fire();
        Assert.Equal((2, 0), pool.Count);
        Assert.True(IsGiven(blocks[1]));
        Assert.True(IsFull(blocks[2]));
    }

    [Fact]
    public void Nobody_looks_where_there_is_nothing_to_give()
    {
        var pool = Pool();
        Assert.False(_clock.IsRunning);
        pool.Return(Full(pool));
        Assert.True(_clock.IsRunning);
        _clock.Fire();
        Assert.False(_clock.IsRunning);
        pool.Return(Full(pool));
        Assert.True(_clock.IsRunning);
        pool.Rent();
        _clock.Fire();
        Assert.False(_clock.IsRunning);
    }

    /// <summary>Two looks at once, after the process was stopped for a while, would take what the other one has.</summary>
    [Fact]
    public void A_look_asks_for_the_next_one_and_none_comes_by_itself()
    {
        var pool = Pool();
        pool.Return(Full(pool));
        var used = pool.Rent();
        pool.Return(Full(pool));
        Assert.Equal(Timeout.InfiniteTimeSpan, _clock.Period);
        pool.Return(used);
        _clock.Fire();
        Assert.True(_clock.IsRunning);
        Assert.Equal(Timeout.InfiniteTimeSpan, _clock.Period);
        _clock.Fire();
        Assert.False(_clock.IsRunning);
    }

    private BlockPool Pool(int kept = 8) => new(Size, kept, _clock);

    private static byte[] Full(BlockPool pool)
    {
        var block = pool.Rent();
        block.AsSpan().Fill(1);
        return block;
    }

    private static bool IsFull(byte[] block) => !block.AsSpan().ContainsAnyExcept((byte)1);

    /// <summary>All but the pages at its ends, which others have a part of.</summary>
    private static bool IsGiven(byte[] block) => !block.AsSpan(Environment.SystemPageSize..^Environment.SystemPageSize).ContainsAnyExcept((byte)0);

    /// <summary>Has one timer, which goes when a test says so.</summary>
    private sealed class Clock : TimeProvider
    {
        private Action? _callback;

        internal bool IsRunning { get; private set; }

        internal TimeSpan Period { get; private set; }

        internal void Fire()
        {
            if (Period == Timeout.InfiniteTimeSpan) IsRunning = false;
            _callback!();
        }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            _callback = () => callback(state);
            return new Timer(this);
        }

        private sealed class Timer(Clock clock) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period)
            {
                (clock.IsRunning, clock.Period) = (dueTime != Timeout.InfiniteTimeSpan, period);
                return true;
            }

            public void Dispose()
            {
                // Nothing is held.
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
