using System.Text.Json;
using StorageActors.Drivers;
using StorageActors.Protocol;
using Xunit;

namespace StorageActors.UnitTests.Drivers;

public sealed class IdMapTests
{
    private static readonly IdMap Map = Of("1000:5000:10,0:100000:1000");

    [Fact]
    public void Ids_go_to_the_host_and_back_and_those_outside_have_no_counterpart()
    {
        Assert.Equal((100_000u, 100_999u, 5000u, 5009u), (Map.UserToHost(0), Map.UserToHost(999), Map.UserToHost(1000), Map.GroupToHost(1009)));
        Assert.Equal((0u, 999u, 1000u, 1009u), (Map.UserToContainer(100_000), Map.UserToContainer(100_999), Map.UserToContainer(5000), Map.GroupToContainer(5009)));
        foreach (var id in (uint[])[1010, uint.MaxValue]) Assert.Null(Map.UserToHost(id));
        foreach (var id in (uint[])[0, 4999, 5010, 99_999, 101_000]) Assert.Null(Map.GroupToContainer(id));
        Assert.Equal((7u, 7u), (IdMap.Host.UserToHost(7), IdMap.Host.GroupToContainer(7)));
        Assert.Equal(uint.MaxValue - 1, Of($"0:0:{uint.MaxValue}").UserToHost(uint.MaxValue - 1));
    }

    [Theory]
    [InlineData("0:1:0")]
    [InlineData("0:1:10,9:100:1")]
    [InlineData("0:100:10,20:109:5")]
    [InlineData("4294967295:0:1")]
    [InlineData("0:4294967290:6")]
    [InlineData("0:1")]
    [InlineData("0:1:2:3")]
    [InlineData("-1:0:1")]
    [InlineData("0:4294967296:1")]
    [InlineData("0:1:1,")]
    [InlineData("a:b:c")]
    public void What_is_no_map_is_refused_in_one_line(string text) =>
        Assert.DoesNotContain('\n', Assert.Throws<FormatException>(() => Of(text)).Message);

    [Fact]
    public void A_map_has_at_most_340_lines()
    {
        var lines = Enumerable.Range(0, 341).Select(static i => new IdRange((uint)i, (uint)(i * 2), 1)).ToList();
        Assert.Throws<FormatException>(() => new IdMap(lines, []));
        Assert.Equal(340, new IdMap(lines[..340], []).Uidmap.Count);
    }

    [Fact]
    public void Maps_are_equal_however_their_lines_are_ordered_and_read_what_they_wrote()
    {
        Assert.Equal(Map, Of("0:100000:1000,1000:5000:10"));
        Assert.Equal(Map.GetHashCode(), Of("0:100000:1000,1000:5000:10").GetHashCode());
        Assert.NotEqual(Map, IdMap.Host);
        Assert.NotEqual(Map, new IdMap(Map.Uidmap, []));
        var json = JsonSerializer.Serialize(Map);
        Assert.Equal(
            """{"uidmap":[{"containerId":0,"hostId":100000,"size":1000},{"containerId":1000,"hostId":5000,"size":10}],"gidmap":[{"containerId":0,"hostId":100000,"size":1000},{"containerId":1000,"hostId":5000,"size":10}]}""",
            json);
        Assert.Equal(Map, JsonSerializer.Deserialize<IdMap>(json));
        Assert.Equal(IdMap.Host, JsonSerializer.Deserialize<IdMap>("{}"));
        Assert.Equal(Map, IdMap.OfContainer(Map.Uidmap, []));
        Assert.Equal(Map, IdMap.OfContainer([], Map.Gidmap));
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("""{"uids":[]}""")]
    [InlineData("""{"uidmap":[{"containerId":0,"hostId":1}]}""")]
    [InlineData("""{"uidmap":[{"containerId":0,"hostId":1,"size":-1}]}""")]
    [InlineData("""{"uidmap":[{"containerId":0,"hostId":1,"size":0}]}""")]
    [InlineData("""{"uidmap":[{"containerId":0,"hostId":1,"size":1,"more":1}]}""")]
    [InlineData("""{"uidmap":[{"containerId":0,"hostId":1,"size":1}""")]
    [InlineData("""{"uidmap":[1]}""")]
    [InlineData("""{"uidmap":null}""")]
    public void Json_that_is_no_map_is_refused(string json) => Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<IdMap>(json));

    [Fact]
    public void A_shift_goes_from_what_is_on_disk_to_what_is_seen()
    {
        Assert.Null(IdShift.Between(Map, Of("0:100000:1000,1000:5000:10")));
        Assert.Equal("0 100000 1000\n1000 5000 10\n", IdShift.Between(IdMap.Host, Map)!.Uidmap);
        Assert.Equal("100000 0 1000\n5000 1000 10\n", IdShift.Between(Map, IdMap.Host)!.Gidmap);
        Assert.Equal("100000 7 995\n100995 2000 5\n5000 2005 10\n", IdShift.Between(Map, Of("0:7:995,995:2000:5000"))!.Uidmap);
        Assert.Equal("0 0 4294967295\n", IdShift.Between(IdMap.Host, new IdMap(Map.Uidmap, []))!.Gidmap);
    }

    [Fact]
    public void A_shift_that_the_kernel_cannot_make_is_refused()
    {
        Assert.Equal(StorageErrorCode.InvalidArgument, Code(() => IdShift.Between(Of("0:1:5"), Of("5:100:5"))));
        var long1 = new IdMap([.. Enumerable.Range(0, 340).Select(static i => new IdRange((uint)i * 2, 1_000_000_000 + ((uint)i * 2), 1))], []);
        Assert.Equal(StorageErrorCode.LimitExceeded, Code(() => IdShift.Between(IdMap.Host, long1)));

        static StorageErrorCode Code(Action action) => Assert.Throws<PermanentDriverException>(action).Error.Code;
    }

    private static IdMap Of(string text) => IdMap.OfContainer(IdMap.ParseRanges(text), []);
}
