using StorageActors.Store;
using Xunit;

namespace StorageActors.EngineTests.Store;

public sealed class FlushCountTests
{
    private readonly FlushCount _flush = new();

    [Fact]
    public void The_last_answer_is_the_last()
    {
        _flush.Begin(2);
        Assert.False(_flush.IsLast(_flush.Number));
        Assert.True(_flush.IsLast(_flush.Number));
        Assert.False(_flush.IsLast(_flush.Number));
    }

    [Fact]
    public void A_late_answer_to_one_flush_is_none_to_the_next()
    {
        _flush.Begin(2);
        var first = _flush.Number;
        Assert.False(_flush.IsLast(first));
        _flush.Begin(2);
        Assert.False(_flush.IsLast(first));
        Assert.False(_flush.IsLast(_flush.Number));
        Assert.False(_flush.IsLast(first));
        Assert.True(_flush.IsLast(_flush.Number));
    }

    [Fact]
    public void Answers_to_a_flush_that_was_given_up_end_nothing()
    {
        _flush.Begin(1);
        var first = _flush.Number;
        _flush.GiveUp();
        Assert.False(_flush.IsLast(first));
        Assert.False(_flush.IsLast(_flush.Number));
    }
}
