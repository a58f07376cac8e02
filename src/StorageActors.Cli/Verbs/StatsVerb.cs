using StorageActors.Cli.Output;
using StorageActors.Cli.Running;
using StorageActors.Protocol;

namespace StorageActors.Cli.Verbs;

/// <summary>Shows what the engine has counted and measured since it started.</summary>
internal sealed class StatsVerb() : Verb("stats", "Show counters and how long locks were waited for and held, since the node started")
{
    internal override async Task<int> RunAsync(Invocation call)
    {
        await using var session = await call.OpenExistingAsync();
        var statistics = await session.Client.Channel.AskAsync<StoreProtocol.Statistics>(new StoreProtocol.GetStatistics(), call.Stop);
        if (call.Output.Json) call.Output.Document(statistics);
        else Print(statistics, call.Output);
        return ExitCode.Done;
    }

    private static void Print(StoreProtocol.Statistics statistics, Printer output)
    {
        var counters = new Table(("COUNTER", ColumnKind.Text), ("VALUE", ColumnKind.Number));
        foreach (var counter in statistics.Counters) counters.Add(counter.Name, $"{counter.Value}");
        output.Table(counters);
        output.Line("");

        var latencies = new Table(
            ("WHAT", ColumnKind.Text), ("FOR", ColumnKind.Elastic), ("MEASURE", ColumnKind.Text), ("COUNT", ColumnKind.Number), ("MEDIAN", ColumnKind.Number),
            ("P99", ColumnKind.Number), ("LONGEST", ColumnKind.Number));
        foreach (var latency in statistics.Latencies)
        {
            latencies.Add(
                $"{latency.Kind} {latency.Name}", latency.Operation ?? "-", latency.Measure, $"{latency.Count}", Human.Duration(latency.MedianSeconds),
                Human.Duration(latency.P99Seconds), Human.Duration(latency.LongestSeconds));
        }

        output.Table(latencies);
        foreach (var latency in statistics.Latencies.Where(static latency => latency is { Kind: "lock", Operation: null })) Histogram.Write(latency, output);
    }
}
