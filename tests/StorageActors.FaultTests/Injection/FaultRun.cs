using StorageActors.FaultTests.Host;
using StorageActors.TestSupport;

namespace StorageActors.FaultTests.Injection;

/// <summary>The long run: every fault at every call.</summary>
internal static class FaultRun
{
    internal static async Task<int> RunAsync(string? flowName, string? faultName, int? nth)
    {
        using var fileSystem = LoopFileSystem.Create(FileSystemKind.Ext4);
        using var campaign = new Campaign(fileSystem, Console.WriteLine);
        foreach (var flow in Flow.All.Where(flow => flowName is null or "all" || flow.Name == flowName))
        {
            foreach (var fault in Fault.All.Where(fault => faultName is null || fault.ToString() == faultName))
                await campaign.RunAsync(flow, fault, count => nth is { } one ? [one] : Enumerable.Range(1, count), static () => false);
        }

        foreach (var (refusal, times) in campaign.Report.Refusals) Console.WriteLine($"{times,4} times refused: {refusal}");
        Console.WriteLine(Table(campaign.Report));
        return campaign.Report.Violations.Count == 0 ? 0 : 1;
    }

    /// <summary>The report as Markdown.</summary>
    internal static string Table(CampaignReport report)
    {
        var lines = report.Flows.Select(static flow => $"| {flow.Flow} | {flow.Calls} | {flow.Injected} | {flow.Succeeded} | {flow.Injected - flow.Succeeded} |");
        var sum = $"| all | {report.Flows.Sum(static f => f.Calls)} | {report.Flows.Sum(static f => f.Injected)} | {report.Flows.Sum(static f => f.Succeeded)} | "
            + $"{report.Flows.Sum(static f => f.Injected - f.Succeeded)} |";
        return string.Join('\n', ["| Flow | Calls | Faults injected | Succeeded all the same | Refused |", "|---|---|---|---|---|", .. lines, sum])
            + $"\n\nViolations: {report.Violations.Count}";
    }
}
