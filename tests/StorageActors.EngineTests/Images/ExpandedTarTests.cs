using StorageActors.Images.Reading;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.EngineTests.Images;

public sealed class ExpandedTarTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    private string[] Names => [.. Directory.GetFileSystemEntries(_directory.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal)!];

    [Fact]
    public void What_somebody_left_who_died_goes_with_the_next_and_nothing_else_does()
    {
        using var living = ExpandedTar.Make(_directory.Path);
        string[] others = ["storage-actors-expanded-notes", "storage-actors-other", "tmpabc.tmp"];
        foreach (var name in others) File.WriteAllText(_directory[name], "somebody's");
        File.WriteAllText(_directory[$"storage-actors-expanded-{Guid.NewGuid():N}"], "of a process that was killed");
        Directory.CreateDirectory(_directory[$"storage-actors-expanded-{new string('d', 32)}"]);

        using (var next = ExpandedTar.Make(_directory.Path))
        {
            next.Write("content"u8);
            Assert.Equal("content", File.ReadAllText(next.Path));
            string[] expected = [.. others, Path.GetFileName(living.Path), Path.GetFileName(next.Path), $"storage-actors-expanded-{new string('d', 32)}"];
            Assert.Equal(expected.Order(StringComparer.Ordinal), Names);
        }

        Assert.Equal(others.Length + 2, Names.Length);
    }

    [Fact]
    public void Many_that_are_made_at_once_do_not_take_each_other_away()
    {
        Parallel.For(0, 200, new ParallelOptions { MaxDegreeOfParallelism = 8 }, _ =>
        {
            using var one = ExpandedTar.Make(_directory.Path);
            one.Write("1"u8);
            Assert.Equal("1", File.ReadAllText(one.Path));
        });
        Assert.Empty(Names);
    }

    public void Dispose() => _directory.Dispose();
}
