using StorageActors.Drivers;
using StorageActors.Drivers.Mounting;
using StorageActors.Linux;
using StorageActors.Protocol;
using Xunit;

namespace StorageActors.UnitTests.Drivers;

public sealed class MountWordsTests
{
    [Fact]
    public void Known_words_become_attributes()
    {
        var words = MountWords.Parse(["nodev", "noexec", "nosuid", "noatime", "ro", "volatile", "context=\"system_u:object_r:a_t:s0:c1,c2\""]);
        Assert.Equal(
            new MountWords(
                MountAttributes.NoDevices | MountAttributes.NoExecute | MountAttributes.NoSuid | MountAttributes.NoAccessTime,
                ReadOnly: true, Volatile: true, "system_u:object_r:a_t:s0:c1,c2"),
            words);
        Assert.Equal(["nodev", "noexec", "nosuid", "noatime"], words.Attributes.ToOptions());
    }

    [Theory]
    [InlineData("lowerdir=/etc")]
    [InlineData("nodev,suid")]
    [InlineData("NODEV")]
    [InlineData("")]
    [InlineData("context=")]
    [InlineData("context=a\"b")]
    [InlineData("context=a\\b")]
    public void Any_other_word_is_refused_by_its_name(string word)
    {
        var error = Assert.Throws<PermanentDriverException>(() => MountWords.Parse(["nodev", word])).Error;
        Assert.Equal(StorageErrorCode.InvalidArgument, error.Code);
        Assert.Contains($"\"{word}\"", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Refused_words_are_shown_short_and_printable()
    {
        var error = Assert.Throws<PermanentDriverException>(() => MountWords.Parse([new string('x', 200) + "\n"])).Error;
        Assert.True(error.Message.Length < 250);
        Assert.DoesNotContain('\n', error.Message);
    }
}
