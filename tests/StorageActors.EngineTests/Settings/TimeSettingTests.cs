using Akka.Configuration;
using StorageActors.Protocol;
using StorageActors.Settings;
using Xunit;

namespace StorageActors.EngineTests.Settings;

/// <summary>Plain times are read without HOCON's own rule, which takes long to be made ready; it says what is right.</summary>
public sealed class TimeSettingTests
{
    [Theory]
    [InlineData("10s")]
    [InlineData("500ms")]
    [InlineData("500 ms")]
    [InlineData("2m")]
    [InlineData("3 h")]
    [InlineData("4d")]
    [InlineData("007s")]
    [InlineData("999999s")]
    [InlineData("1000000s")]
    [InlineData("1.5s")]
    [InlineData("1.5 seconds")]
    [InlineData("2 minutes")]
    [InlineData("1500")]
    public void A_time_is_what_HOCON_says(string text)
    {
        var config = Config(text);
        Assert.Equal(config.GetTimeSpan("storage-actors.layers.idle-timeout"), StorageSettings.From(config, "storage-actors").IdleTimeout);
    }

    [Theory]
    [InlineData("s")]
    [InlineData("0s")]
    [InlineData("-1s")]
    [InlineData("10x")]
    [InlineData("soon")]
    public void What_is_no_time_is_refused_by_its_key(string text)
    {
        var refused = Assert.Throws<StorageException>(() => StorageSettings.From(Config(text), "storage-actors"));
        Assert.Contains("storage-actors.layers.idle-timeout = ", refused.Error.Message, StringComparison.Ordinal);
    }

    private static Config Config(string text) => ConfigurationFactory.ParseString($"storage-actors {{ root = \"/x\", layers.idle-timeout = \"{text}\" }}");
}
