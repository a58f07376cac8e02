using StorageActors.Drivers;
using StorageActors.Engine;
using StorageActors.Linux;
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

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_a_process_that_died_left_beside_a_root_goes_with_the_next_look_or_when_the_store_is_made(bool isMade)
    {
        using var directory = new TempDirectory();
        string Scratch(char digit) => directory[".storage-actors-" + new string(digit, 32)];
        foreach (var digit in "0ab") Directory.CreateDirectory(Scratch(digit));
        Directory.CreateDirectory(Path.Combine(Scratch('a'), "staging", "probe-1", "upper"));
        string[] left = [Scratch('b'), directory[".storage-actors-0123"], directory[".storage-actors-" + new string('x', 32)], Scratch('c')];
        foreach (var name in left[1..3]) Directory.CreateDirectory(name);
        await File.WriteAllTextAsync(left[3], "no directory");
        await File.WriteAllTextAsync(Path.Combine(Scratch('a'), "lock"), "");
        using (FileLock.Take(Path.Combine(Scratch('b'), "lock"))) // Its maker lives.
        {
            var root = directory[isMade ? "above/store" : "none/at/all"];
            var config = Akka.Configuration.ConfigurationFactory.ParseString($"storage-actors {{ root = \"{root}\", driver = vfs }}");
            if (isMade) await using (await StorageEngine.StartAsync(config)) left = [.. left, directory["above"]];
            else Assert.Equal("", (await StorageEngine.InspectAsync(config))!.StoreId);
            Assert.Equal(left.Order(StringComparer.Ordinal), Directory.GetFileSystemEntries(directory.Path).Order(StringComparer.Ordinal));
        }

        ScratchRoot.Sweep(directory.Path);
        Assert.False(Directory.Exists(Scratch('b')));
        ScratchRoot.Sweep(directory["not there"]);
    }

    [Fact]
    public void One_with_something_else_in_place_of_its_lock_keeps_no_other_from_being_swept_away()
    {
        using var directory = new TempDirectory();
        string Scratch(char digit) => directory[".storage-actors-" + new string(digit, 32)];
        foreach (var digit in "0123456789abcdef") Directory.CreateDirectory(Scratch(digit)); // In whatever order they are found.
        File.CreateSymbolicLink(Path.Combine(Scratch('3'), "lock"), "elsewhere");
        Directory.CreateDirectory(Path.Combine(Scratch('9'), "lock"));
        ScratchRoot.Sweep(directory.Path);
        Assert.Equal([Scratch('3'), Scratch('9')], Directory.GetFileSystemEntries(directory.Path).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void In_a_directory_that_is_not_there_none_is_made()
    {
        using var directory = new TempDirectory();
        Assert.Equal(Errno.ENOENT, Assert.Throws<LinuxException>(() => ScratchRoot.Make(directory["none"])).Errno);
    }

    [Fact]
    public void What_is_being_tried_is_not_swept_away()
    {
        using var directory = new TempDirectory();
        using var scratch = ScratchRoot.Make(directory.Path);
        ScratchRoot.Sweep(directory.Path);
        Assert.True(Directory.Exists(scratch.Path));
        scratch.Remove();
        Assert.Empty(Directory.GetFileSystemEntries(directory.Path));
    }

    [Fact]
    public void A_root_where_somebody_is_at_making_a_store_is_not_vacant()
    {
        using var directory = new TempDirectory();
        using (OwnerLock.Take(directory.Path, socket: null)) Assert.False(StorageEngine.IsVacant(directory.Path));
        Assert.True(StorageEngine.IsVacant(directory.Path));
    }
}
