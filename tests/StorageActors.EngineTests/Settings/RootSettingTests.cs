using Akka.Configuration;
using StorageActors.Protocol;
using StorageActors.Settings;
using Xunit;

namespace StorageActors.EngineTests.Settings;

public sealed class RootSettingTests
{
    [Theory]
    [InlineData("", 0x1EDu)]
    [InlineData("root-mode = 0555", 0x16Du)]
    [InlineData("root-mode = \"711\"", 0x1C9u)]
    [InlineData("root-mode = 1777", 0x3FFu)]
    public void A_mode_is_read_as_octal_digits(string text, uint mode) => Assert.Equal(mode, Read(text).RootMode);

    [Theory]
    [InlineData("", null)]
    [InlineData("selinux-label = \"system_u:object_r:container_file_t:s0\"", "system_u:object_r:container_file_t:s0")]
    [InlineData("selinux-label = \"system_u:object_r:container_file_t:s0:c1,c200\"", "system_u:object_r:container_file_t:s0")]
    [InlineData("selinux-label = \"u:object_r:t:s0-s15:c0.c1023\"", "u:object_r:t:s0")]
    [InlineData("selinux-label = \"user_u:object_r:tmp_t\"", "user_u:object_r:tmp_t")]
    public void A_label_is_read_with_the_level_that_all_may_read(string text, string? label) => Assert.Equal(label, Read(text).Label?.Text);

    [Theory]
    [InlineData("root-mode = 0855", "root-mode = 0855")]
    [InlineData("root-mode = 75", "root-mode = 75")]
    [InlineData("root-mode = rwxr-xr-x", "root-mode = rwxr-xr-x")]
    [InlineData("root-mode = 00755", "root-mode = 00755")]
    [InlineData("selinux-label = disable", "selinux-label = disable")]
    [InlineData("selinux-label = \"a:b\"", "selinux-label = a:b")]
    [InlineData("selinux-label = \"a:b:\"", "selinux-label = a:b:")]
    [InlineData("selinux-label = \"a:b:c:s0 nodev\"", "selinux-label = a:b:c:s0 nodev")]
    public void What_is_neither_is_refused_by_its_key(string text, string said)
    {
        var refused = Assert.Throws<StorageException>(() => Read(text));
        Assert.Equal(StorageErrorCode.InvalidArgument, refused.Error.Code);
        Assert.StartsWith("storage-actors." + said, refused.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Both_are_among_the_settings_that_are_shown()
    {
        var facts = Read("root-mode = 0555, selinux-label = \"a:b:c:s5\"").ToFacts();
        Assert.Contains(new StoreFact("settings", "root-mode", "0555"), facts);
        Assert.Contains(new StoreFact("settings", "selinux-label", "a:b:c:s0"), facts);
    }

    private static StorageSettings Read(string text) =>
        StorageSettings.From(ConfigurationFactory.ParseString($"storage-actors {{ root = \"/somewhere\", {text} }}"), "storage-actors");
}
