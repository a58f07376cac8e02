using StorageActors.CrashTests.Kills;
using StorageActors.TestSupport;
using Xunit;

namespace StorageActors.CrashTests;

/// <summary>
/// A process with an engine and several clients dies by SIGKILL; whoever opens the store finds all that was answered, everything else wholly or not at all,
/// and nothing left behind. The long run of the same: <c>dotnet run -- kill</c>.
/// </summary>
public abstract class KillTests(string[] places, int seed)
{
    /// <summary>Where a store has to have been left by a death that nobody has looked at.</summary>
    private static readonly Dictionary<string, string> Before = new(StringComparer.Ordinal)
    {
        ["staging-swept"] = "extracted", ["recovery-reconciled"] = "after-rename",
    };

    /// <summary>What happens once in a store's life.</summary>
    internal static string[] NewStore => ["store-made", "format-written"];

    internal static string[] Staging => ["staging-created", "layer-begun", "extracted", "rebased", "finished", "staging-ended", "before-sync", "after-sync", "before-rename", "rehearsed", "after-rename", "rename-durable"];

    internal static string[] Records => ["before-journal", "after-journal", "before-snapshot", "snapshot-saved", "events-deleted", "mark-written", "store-marked", "store-unmarked", "names-begun", "before-record-file", "record-file-written", "after-record-file", "image-staged", "image-renamed", "image-durable", "image-trashed"];

    internal static string[] Mounts => ["before-mount", "after-mount", "before-lease", "after-lease", "before-unmount", "after-unmount", "before-lease-snapshot", "lease-snapshot-saved", "before-seal", "after-seal"];

    internal static string[] Removal => ["before-retire", "before-trash", "after-trash", "trash-durable", "trash-half-deleted", "trash-deleted", "recovery-listed", "recovery-reconciled", "recovery-settled", "staging-swept"];

    [SkippableFact]
    public async Task Death_at_every_named_place_loses_nothing_and_leaves_nothing()
    {
        RequiredTiers.SkipUnlessRoot();
        await using var run = new KillRun(seed);
        foreach (var place in places.Except(NewStore, StringComparer.Ordinal)) await DieAsync(run, place);
        foreach (var place in places.Intersect(NewStore, StringComparer.Ordinal))
        {
            await using var first = new KillRun(seed);
            await DieAsync(first, place);
        }
    }

    private static async Task DieAsync(KillRun run, string place)
    {
        if (Before.TryGetValue(place, out var before)) Assert.True(await run.DieUnseenAsync(before), $"{before} was not reached");
        var death = await run.DieAtAsync(place, 1, leaseCycles: place.Contains("lease-snapshot", StringComparison.Ordinal) ? 110 : 0);
        Assert.True(death.Violations.Count == 0, $"{death.How}: {string.Join('\n', death.Violations)}");
        Assert.True(death.WasKilled, $"{place} was not reached");
    }
}

/// <summary>Where layers are staged and renamed.</summary>
public sealed class KillWhileStagingTests() : KillTests([.. NewStore, .. Staging], 11);

/// <summary>Where records and images are written.</summary>
public sealed class KillWhileRecordingTests() : KillTests(Records, 12);

/// <summary>Where layers are mounted, held and sealed.</summary>
public sealed class KillWhileMountingTests() : KillTests(Mounts, 13);

/// <summary>Where layers go, and where a store starts.</summary>
public sealed class KillWhileRemovingTests() : KillTests(Removal, 14);

/// <summary>At no place in particular.</summary>
public sealed class KillAtAnyTimeTests
{
    [SkippableFact]
    public async Task Death_at_any_time_loses_nothing_and_leaves_nothing()
    {
        RequiredTiers.SkipUnlessRoot();
        await using var run = new KillRun(15);
        var random = new Random(15);
        for (var round = 0; round < 8; round++)
        {
            var death = round % 4 == 3 ? await run.DieStoppingAsync(TimeSpan.FromMilliseconds(random.Next(150)))
                : await run.DieAfterAsync(TimeSpan.FromMilliseconds(random.Next(1500)), isServing: round % 4 != 0);
            Assert.True(death.Violations.Count == 0, $"{death.How}: {string.Join('\n', death.Violations)}");
        }
    }
}
