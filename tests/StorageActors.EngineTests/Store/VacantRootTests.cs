using StorageActors.Drivers;
using StorageActors.Engine;
using StorageActors.Protocol;
using StorageActors.Settings;
using StorageActors.Store;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.EngineTests.Store;

public sealed class VacantRootTests
{
    [Theory]
    [InlineData()]
    [InlineData("lost+found")]
    [InlineData("owner.lock", "store.lock", "staging", "trash", "images", "lost+found")]
    public async Task A_root_with_nothing_but_what_a_store_is_made_beside_is_vacant_until_it_is_made(params string[] names)
    {
        using var directory = new TempDirectory();
        foreach (var name in names)
        {
            if (name.EndsWith(".lock", StringComparison.Ordinal)) await File.WriteAllTextAsync(directory[name], "");
            else Directory.CreateDirectory(directory[name]);
        }

        Assert.True(StorageEngine.IsVacant(directory.Path));
        var config = Akka.Configuration.ConfigurationFactory.ParseString($"storage-actors {{ root = \"{directory.Path}\", driver = vfs }}");
        await using (var engine = await StorageEngine.StartAsync(config)) Assert.False(StorageEngine.IsVacant(directory.Path));
        Assert.False(StorageEngine.IsVacant(directory.Path));
    }

    [Fact]
    public async Task A_root_that_is_not_there_is_vacant_and_stays_so()
    {
        using var directory = new TempDirectory();
        Assert.True(StorageEngine.IsVacant(directory["none"]));
        Assert.Empty(Directory.EnumerateFileSystemEntries(directory.Path));
        await File.WriteAllTextAsync(directory["file"], "");
        Assert.False(StorageEngine.IsVacant(directory["file"]));
        Assert.False(StorageEngine.IsVacant(directory.Path));
        Assert.Equal(StorageErrorCode.InvalidArgument, (await Assert.ThrowsAsync<StorageException>(() => StorageEngine.StartAsync(directory.Path))).Error.Code);
    }

    [Fact]
    public void Why_no_store_could_be_made_is_said_also_where_nothing_can_be_removed()
    {
        using var directory = new TempDirectory();
        Directory.CreateDirectory(directory["above"]);
        var config = Akka.Configuration.ConfigurationFactory.ParseString($"storage-actors.root = \"{directory["above/none"]}\"");
        var settings = StorageSettings.From(config.WithFallback(StorageConfiguration.Reference), StorageSettings.DefaultPath);
        var refusal = Assert.Throws<StorageException>(() => EngineInspection.Run(
            settings,
            (_, scratch) =>
            {
                Assert.StartsWith(directory["above/.storage-actors-"], scratch.Root, StringComparison.Ordinal);
                Directory.Move(directory["above"], directory["moved"]);
                File.WriteAllText(directory["above"], "");
                throw new PermanentDriverException(new StorageError(StorageErrorCode.Unsupported, "open store", "no driver works here"));
            },
            TimeProvider.System));
        Assert.Equal("no driver works here", refusal.Error.Message);
    }

    [Fact]
    public void A_root_where_somebody_is_at_making_a_store_is_not_vacant()
    {
        using var directory = new TempDirectory();
        using (OwnerLock.Take(directory.Path, socket: null)) Assert.False(StorageEngine.IsVacant(directory.Path));
        Assert.True(StorageEngine.IsVacant(directory.Path));
    }
}
