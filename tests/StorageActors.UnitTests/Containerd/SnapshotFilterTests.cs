using StorageActors.Containerd.Snapshots;
using StorageActors.Protocol;
using Xunit;

namespace StorageActors.UnitTests.Containerd;

/// <summary>containerd's grammar of filters.</summary>
public sealed class SnapshotFilterTests
{
    private static readonly Snapshot One = new(
        "default/7/extract-1 sha256:ab", "default/3/sha256:cd", SnapshotState.Active, default, default,
        new Dictionary<string, string> { ["containerd.io/snapshot.ref"] = "sha256:ab", ["plain.label"] = "yes", ["q"] = "a\"b" },
        new LayerRecord(LayerId.New(), null, LayerKind.Writable, [], new Dictionary<string, string>(), default));

    [Theory]
    [InlineData("", true)]
    [InlineData("kind==active", true)]
    [InlineData("kind==Active", false)]
    [InlineData("kind!=committed", true)]
    [InlineData("name==\"default/7/extract-1 sha256:ab\"", true)]
    [InlineData("parent==default/3/sha256:cd", true)]
    [InlineData("labels.\"containerd.io/snapshot.ref\"==sha256:ab,parent==\"default/3/sha256:cd\"", true)]
    [InlineData("labels.\"containerd.io/snapshot.ref\"==sha256:ab,parent==\"\"", false)]
    [InlineData("labels.plain.label==yes", true)]
    [InlineData("labels.plain.label", true)]
    [InlineData("labels.other", false)]
    [InlineData("labels.other!=yes", true)]
    [InlineData("labels.q==\"a\\\"b\"", true)]
    [InlineData("labels.q==\"\\x61\\u0022b\"", true)]
    [InlineData("name~=/extract-[0-9]+/", true)]
    [InlineData("name~=|^default/8|", false)]
    [InlineData("name~=\\/", true)]
    [InlineData("colour==red", false)]
    [InlineData("colour!=red", true)]
    public void A_filter_accepts_what_meets_all_its_conditions(string filter, bool accepts) => Assert.Equal(accepts, SnapshotFilter.Parse(filter).Accepts(One));

    [Theory]
    [InlineData("kind=active")]
    [InlineData("kind==")]
    [InlineData("==active")]
    [InlineData("kind==active,")]
    [InlineData("name==\"open")]
    [InlineData("name==\"\\q\"")]
    [InlineData("name==\"\\x6")]
    [InlineData("name~=[")]
    [InlineData("kind==active name==x")]
    [InlineData("labels.")]
    public void What_is_no_filter_is_refused(string filter) => Assert.Throws<FormatException>(() => SnapshotFilter.Parse(filter));

    [Fact]
    public void Names_in_the_store_are_words_and_no_two_keys_share_one()
    {
        var names = new SnapshotNames("containerd");
        string[] keys = ["a b", "a%20b", "a\tb", "a\u00a0b", new('x', 4096), new('x', 4097), "größer", "a", "a:b"];
        var made = keys.Select(names.Of).ToList();
        Assert.Equal(keys.Length, made.Distinct(StringComparer.Ordinal).Count());
        Assert.All(made, static name => Assert.True(name.Length <= 512 && !name.Any(static c => char.IsWhiteSpace(c) || char.IsControl(c))));
        Assert.NotEqual(names.Of("#" + made[4][11..]), made[4]);
    }
}
