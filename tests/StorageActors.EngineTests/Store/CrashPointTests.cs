using System.Reflection;
using StorageActors.Store;
using Xunit;

namespace StorageActors.EngineTests.Store;

public sealed class CrashPointTests
{
    [Fact]
    public void A_crash_is_due_at_the_given_passing_and_at_no_other()
    {
        var order = CrashOrder.Parse("after-rename:3")!;
        Assert.Equal([false, false, true, false], new[] { 1, 2, 3, 4 }.Select(_ => order.IsDue("after-rename")));
    }

    [Fact]
    public void Without_a_number_the_first_passing_counts()
    {
        var order = CrashOrder.Parse("before-rename")!;
        Assert.False(order.IsDue("after-rename"));
        Assert.True(order.IsDue("before-rename"));
    }

    [Fact]
    public void A_place_that_does_not_exist_is_an_error_since_the_test_would_prove_nothing() =>
        Assert.Throws<ArgumentException>(() => CrashOrder.Parse("after-lunch"));

    [Fact]
    public void No_order_means_no_crash() => Assert.Null(CrashOrder.Parse(null));

    [Fact]
    public void The_list_has_every_place_once()
    {
        var constants = typeof(CrashPoint).GetFields(BindingFlags.NonPublic | BindingFlags.Static)
            .Where(static field => field.IsLiteral && field.Name != nameof(CrashPoint.Variable)).Select(static field => (string)field.GetRawConstantValue()!);
        Assert.Equal(constants.Order(StringComparer.Ordinal), CrashPoint.Names.Order(StringComparer.Ordinal));
    }
}
