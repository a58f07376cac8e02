using StorageActors.CrashTests.PowerCuts;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.CrashTests;

/// <summary>
/// The power goes while clients work: the disk holds what was flushed, and any part of the rest. A store whose durability is full has lost nothing that was answered; one
/// without says what it has lost. The long run of the same: <c>dotnet run -- cut</c>.
/// </summary>
public sealed class PowerCutTests
{
    [SkippableTheory]
    [InlineData(FileSystemKind.Ext4, 21)]
    [InlineData(FileSystemKind.Xfs, 22)]
    [InlineData(FileSystemKind.Btrfs, 23)]
    public Task Power_cut_loses_nothing_that_was_answered(FileSystemKind kind, int seed) => CutAsync(kind, seed, "full", 3);

    [SkippableFact]
    public Task Power_cut_without_durability_leaves_a_store_that_knows_what_it_lost() => CutAsync(FileSystemKind.Ext4, 24, "none", 3);

    private static async Task CutAsync(FileSystemKind kind, int seed, string durability, int cuts)
    {
        RequiredTiers.SkipUnlessRoot();
        RequiredTiers.SkipUnless(File.Exists("/dev/fuse") && File.Exists("/dev/loop-control"), "loop", "needs /dev/fuse and loop devices, to make a disk whose power can go");
        var taken = await new PowerCutRun(kind, seed, durability).RunAsync(cuts, TimeSpan.FromMilliseconds(700));
        Assert.All(taken, static cut => Assert.True(cut.Violations.Count == 0, $"{cut.How}: {string.Join('\n', cut.Violations)}"));
        Assert.Equal(cuts, taken.Count);
        Assert.Contains(taken, static cut => cut.Unflushed > 0);
    }
}
