using StorageActors.FaultTests.Host;
using StorageActors.FaultTests.Injection;
using StorageActors.FaultTests.Seccomp;
using StorageActors.TestSupport;
using Xunit;
using Xunit.Abstractions;

namespace StorageActors.FaultTests;

/// <summary>
/// A process that dies right before a call which changes names or mounts loses nothing, and the next engine leaves nothing of what was half done. The long run tries every
/// such call: <c>dotnet run -- deaths</c>.
/// </summary>
public sealed class DeathTests(ITestOutputHelper output)
{
    /// <summary>Of how many calls one is tried in the flows that have many.</summary>
    private static readonly Dictionary<string, int> Steps = new(StringComparer.Ordinal)
    {
        ["apply"] = 12, ["create"] = 9, ["remove"] = 8, ["import"] = 26, ["restart"] = 8, ["put again"] = 5,
    };

    public static TheoryData<string> Flows => [.. Flow.Changing.Select(static flow => flow.Name)];

    [SkippableTheory]
    [MemberData(nameof(Flows))]
    public async Task A_death_between_two_calls_loses_nothing_and_leaves_nothing(string name)
    {
        RequiredTiers.SkipUnlessRoot();
        RequiredTiers.SkipUnless(Native.IsAvailable(), "seccomp", "needs an x86-64 kernel with seccomp's user notification");
        var seed = Seeds.Or(1) % 1_000_000;
        using var fileSystem = LoopFileSystem.Create(FileSystemKind.Ext4);
        using var run = new DeathRun(fileSystem, output.WriteLine);
        var step = Steps.GetValueOrDefault(name, 1);
        await run.RunAsync(Flow.Changing.Single(flow => flow.Name == name), 1 + (seed % step), step);
        output.WriteLine($"seed {seed}, {run.Deaths.Count} deaths");
        Assert.Empty(run.Deaths.Where(static death => death.Violations.Count > 0).Select(static death => death.ToString()));
        Assert.NotEmpty(run.Deaths);
    }
}
