using StorageActors.FaultTests.Host;
using StorageActors.TestSupport;

namespace StorageActors.FaultTests.Injection;

/// <summary>The long run: a death before every call that changes names or mounts.</summary>
internal static class DeathReport
{
    internal static async Task<int> RunAsync(string? flowName, int? nth)
    {
        using var fileSystem = LoopFileSystem.Create(FileSystemKind.Ext4);
        using var run = new DeathRun(fileSystem, Console.WriteLine);
        foreach (var flow in Flow.Changing.Where(flow => flowName is null or "all" || flow.Name == flowName)) await run.RunAsync(flow, nth ?? 1, most: nth is null ? int.MaxValue : 1);
        Console.WriteLine(Table(run.Deaths));
        return run.Deaths.Sum(static death => death.Violations.Count) == 0 ? 0 : 1;
    }

    /// <summary>The report as Markdown.</summary>
    internal static string Table(IReadOnlyList<FlowDeath> deaths)
    {
        var lines = deaths.GroupBy(static death => death.Flow).Select(static flow => $"| {flow.Key} | {flow.Count()} |");
        return string.Join('\n', ["| Flow | Deaths |", "|---|---|", .. lines, $"| all | {deaths.Count} |"]) + $"\n\nViolations: {deaths.Sum(static death => death.Violations.Count)}";
    }
}
