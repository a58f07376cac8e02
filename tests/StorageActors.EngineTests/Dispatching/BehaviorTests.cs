using StorageActors.Dispatching;
using Xunit;

namespace StorageActors.EngineTests.Dispatching;

public sealed class BehaviorTests
{
    private static readonly Behavior<List<string>> Some = new(static state =>
    {
        state.On<string>(static (heard, word) => heard.Add($"short {word}"), static (_, word) => word.Length < 4);
        state.On<IComparable<int>>(static (heard, number) => heard.Add($"number {number}"));
        state.On<string>(static (heard, word) => heard.Add($"word {word}"), static (heard, _) => heard.Count < 3);
        state.On<int>(static (heard, _) => heard.Add("never"));
    });

    private readonly List<string> _heard = [];

    [Fact]
    public void The_first_handler_that_takes_a_message_gets_it()
    {
        Assert.True(Some.TryHandle(_heard, "one"));
        Assert.True(Some.TryHandle(_heard, "three"));
        Assert.True(Some.TryHandle(_heard, 4));
        Assert.Equal(["short one", "word three", "number 4"], _heard);
    }

    [Fact]
    public void A_message_that_no_handler_takes_is_left_alone()
    {
        Assert.False(Some.TryHandle(_heard, 4.5));
        _heard.AddRange(["a", "b", "c"]);
        Assert.False(Some.TryHandle(_heard, "three"));
        Assert.Equal(["a", "b", "c"], _heard);
    }
}
