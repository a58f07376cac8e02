using System.Diagnostics;
using StorageActors.Cli.Output;

namespace StorageActors.Cli.Demo;

/// <summary>One step of the demo: how long it took, and over how many bytes.</summary>
internal sealed record DemoStep(string Name, double Seconds, long? Bytes);

/// <summary>Tells what the demo does and how long it takes.</summary>
internal sealed class Timings(Action<string> tell)
{
    private readonly List<DemoStep> _steps = [];

    internal IReadOnlyList<DemoStep> Steps => _steps;

    /// <summary>Runs a step. <paramref name="bytes"/> says how much it moved, for a rate in the table.</summary>
    internal async Task<T> RunAsync<T>(string name, Func<Task<T>> step, Func<T, long?>? bytes = null)
    {
        tell($"- {name}");
        var clock = Stopwatch.StartNew();
        var result = await step();
        _steps.Add(new DemoStep(name, Math.Round(clock.Elapsed.TotalSeconds, 4), bytes?.Invoke(result)));
        return result;
    }

    /// <summary>The same for a step without a result.</summary>
    internal Task RunAsync(string name, Func<Task> step, long? bytes = null) => RunAsync(
        name,
        async () =>
        {
            await step();
            return bytes;
        },
        static moved => moved);

    internal Table ToTable()
    {
        var table = new Table(("STEP", ColumnKind.Text), ("SECONDS", ColumnKind.Number), ("DATA", ColumnKind.Number), ("RATE", ColumnKind.Number));
        foreach (var step in _steps)
        {
            var rate = step.Bytes is { } bytes && step.Seconds > 0 ? Human.Size((long)(bytes / step.Seconds)) + "/s" : "-";
            table.Add(step.Name, step.Seconds.ToString("0.000", System.Globalization.CultureInfo.InvariantCulture), Human.Size(step.Bytes), rate);
        }

        return table;
    }
}
