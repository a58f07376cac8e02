using StorageActors.Protocol;
using StorageActors.Records;
using Xunit;

namespace StorageActors.EngineTests.Records;

/// <summary>What is known of layers together.</summary>
public sealed class LayerTotalsTests
{
    [Fact]
    public void Nothing_has_nothing() => Assert.Equal(new LayerTotals(NameSum.None, 0, HasParentsFirst: true), LayerTotals.Of([]));

    [Fact]
    public void Ids_are_summed_in_any_order_and_damage_is_counted()
    {
        var layers = new[] { Layer("ab"), Layer("cd", "ab") with { Damage = "gone" }, Layer("ef", "elsewhere") };
        var totals = LayerTotals.Of(layers);
        Assert.Equal(new LayerTotals(NameSum.None.With("cd"u8).With("ef"u8).With("ab"u8), 1, HasParentsFirst: true), totals);
        Assert.Equal(totals with { HasParentsFirst = false }, LayerTotals.Of([.. layers.Reverse()]));
        Assert.NotEqual(totals, LayerTotals.Of(layers[1..]));
    }

    [Theory]
    [InlineData("ab:cd cd", false)]
    [InlineData("cd ab:cd", true)]
    [InlineData("ab:ab", false)]
    [InlineData("ab:elsewhere cd:elsewhere", true)]
    [InlineData("aa ab:zz cd:aa zz", false)]
    [InlineData("ab:cd cd:ab", false)]
    public void It_is_known_whether_no_layer_is_before_its_parent(string layers, bool expected) =>
        Assert.Equal(expected, LayerTotals.Of([.. layers.Split(' ').Select(static one => one.Split(':')).Select(static one => Layer(one[0], one.ElementAtOrDefault(1)))]).HasParentsFirst);

    private static LayerRecord Layer(string id, string? parent = null) => new(
        LayerId.Parse(id), parent is null ? null : LayerId.Parse(parent), LayerKind.Writable, [], new Dictionary<string, string>(StringComparer.Ordinal), DateTimeOffset.UnixEpoch);
}
