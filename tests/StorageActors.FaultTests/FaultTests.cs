using StorageActors.FaultTests.Host;
using StorageActors.FaultTests.Injection;
using StorageActors.FaultTests.Seccomp;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.TestSupport;
using Xunit;
using Xunit.Abstractions;

namespace StorageActors.FaultTests;

/// <summary>
/// A system call that fails ends in a typed error, or in a success where it is tried again or does not matter. Nothing is left behind, and the store goes on.
/// <c>STORAGE_ACTORS_FAULTS=all</c> tries every fault at every call.
/// </summary>
public sealed class FaultTests(ITestOutputHelper output)
{
    /// <summary>Flows that are so short that each of their calls is tried.</summary>
    private static readonly HashSet<string> Short = ["mount", "unmount", "names"];

    private const int CallsOfLongFlows = 8;

    /// <summary>The flow of which hardly any call is ours: an interruption of any must not be noticed.</summary>
    private const string Interrupted = "names";

    /// <summary>What a failing disk says, and the one that is tried with each run of the tests.</summary>
    private static readonly Fault Usual = new(Errno.EIO);

    [SkippableFact]
    public async Task A_call_that_fails_leaves_a_typed_error_and_nothing_else()
    {
        RequiredTiers.SkipUnlessRoot();
        RequiredTiers.SkipUnless(Native.IsAvailable(), "seccomp", "needs an x86-64 kernel with seccomp's user notification");
        var all = Environment.GetEnvironmentVariable("STORAGE_ACTORS_FAULTS") == "all";
        var seed = Seeds.Or(1) % 1_000_000;
        using var fileSystem = LoopFileSystem.Create(FileSystemKind.Ext4);
        using var campaign = new Campaign(fileSystem, output.WriteLine);
        foreach (var (index, flow) in Flow.All.Index())
        {
            foreach (var (fault, calls) in all ? Everything() : Some(flow, seed + index, (await campaign.CountAsync(flow)).Count))
                await campaign.RunAsync(flow, fault, calls, static () => false);
        }

        output.WriteLine($"seed {seed}\n{FaultRun.Table(campaign.Report)}");
        Assert.Empty(campaign.Report.Violations.Select(static violation => violation.ToString()));
        Assert.True(campaign.Report.Flows.Sum(static flow => flow.Injected) > 60, "hardly any call was made to fail");
    }

    /// <summary>An image that is put again has a new directory; when neither that can be made durable nor the old one be put back, the old one is left under its staged name.</summary>
    [SkippableFact]
    public async Task A_start_puts_an_image_right_that_could_neither_be_put_nor_taken_back()
    {
        RequiredTiers.SkipUnlessRoot();
        RequiredTiers.SkipUnless(Native.IsAvailable(), "seccomp", "needs an x86-64 kernel with seccomp's user notification");
        using var fileSystem = LoopFileSystem.Create(FileSystemKind.Ext4);
        using var session = await FaultSession.StartAsync(fileSystem);
        for (var (nth, leftStaged) = (1, false); !leftStaged; nth++)
        {
            (var outcome, leftStaged, var violations) = await session.RunAndReopenAsync(Flow.PutAgain, Fault.Stuck, nth);
            output.WriteLine($"from call {nth} on: {outcome}{(leftStaged ? ", and something is left staged" : "")}");
            Assert.False(outcome.Succeeded, "no call behind the rename was made to fail");
            Assert.Equal(nameof(StorageErrorCode.Io), outcome.Code);
            Assert.Empty(violations);
        }
    }

    private static IEnumerable<(Fault Fault, Func<int, IEnumerable<int>> Calls)> Everything() =>
        Fault.All.Select(static fault => (fault, (Func<int, IEnumerable<int>>)(static count => Enumerable.Range(1, count))));

    /// <summary>Calls spread over the flow; another seed takes others.</summary>
    private static IEnumerable<(Fault Fault, Func<int, IEnumerable<int>> Calls)> Some(Flow flow, int seed, int count)
    {
        var step = Short.Contains(flow.Name) ? 1 : Math.Max(1, count / CallsOfLongFlows);
        yield return (Usual, _ => Enumerable.Range(1, count).Where(call => (call + seed) % step == 0));
        if (flow.Name == Interrupted) yield return (new Fault(Errno.EINTR), static interruptible => Enumerable.Range(1, interruptible));
    }
}
