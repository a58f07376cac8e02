using StorageActors.Store;
using Xunit;

namespace StorageActors.CrashTests;

/// <summary>docs/reliability.md says of each crash point what a death there leaves; the kill tests die at each.</summary>
public sealed class CrashPointListTests
{
    [Fact]
    public void Documentation_has_every_crash_point_and_no_other()
    {
        var listed = File.ReadLines(Find("docs/reliability.md")).SkipWhile(static line => !line.StartsWith("| Crash point |", StringComparison.Ordinal))
            .TakeWhile(static line => line.StartsWith('|')).Skip(2).Select(static line => line.Split('`')[1]);
        Assert.Equal(CrashPoint.Names.Order(StringComparer.Ordinal), listed.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Processes_die_at_every_crash_point_and_at_no_other() => Assert.Equal(
        CrashPoint.Names.Order(StringComparer.Ordinal),
        new[] { KillTests.NewStore, KillTests.Staging, KillTests.Records, KillTests.Mounts, KillTests.Removal }.SelectMany(static places => places).Order(StringComparer.Ordinal));

    private static string Find(string path)
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, path))) directory = directory.Parent ?? throw new InvalidOperationException($"there is no {path} above {AppContext.BaseDirectory}");
        return Path.Combine(directory.FullName, path);
    }
}
