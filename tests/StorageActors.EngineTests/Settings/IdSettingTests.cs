using Akka.Configuration;
using StorageActors.Protocol;
using StorageActors.Settings;
using Xunit;

namespace StorageActors.EngineTests.Settings;

public sealed class IdSettingTests
{
    [Theory]
    [InlineData("", "host ids")]
    [InlineData("users = [\"0:100000:65536\"]", "users 0:100000:65536, groups 0:100000:65536")]
    [InlineData("groups = [\"0:7:1,1:9:2\"]", "users 0:7:1,1:9:2, groups 0:7:1,1:9:2")]
    [InlineData("users = [\"0:1:1\", \"1:5:5\"], groups = [\"0:2:9\"]", "users 0:1:1,1:5:5, groups 0:2:9")]
    public void A_default_map_is_read_from_lines(string text, string map) => Assert.Equal(map, Read(text).ToString());

    [Theory]
    [InlineData("users = [\"0:1\"]")]
    [InlineData("users = [\"0:1:5\", \"2:100:1\"]")]
    public void What_is_no_map_is_refused_by_its_key(string text)
    {
        var refused = Assert.Throws<StorageException>(() => Read(text));
        Assert.Equal(StorageErrorCode.InvalidArgument, refused.Error.Code);
        Assert.Contains("storage-actors.default-ids = ", refused.Error.Message, StringComparison.Ordinal);
    }

    private static IdMap Read(string text) => StorageSettings.From(
        ConfigurationFactory.ParseString($"storage-actors {{ root = \"/somewhere\", default-ids {{ {text} }} }}"), "storage-actors").Ids;
}
