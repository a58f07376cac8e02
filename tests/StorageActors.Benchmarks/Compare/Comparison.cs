using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace StorageActors.Benchmarks.Compare;

/// <summary>
/// Lets contestants do the same work in turns. Each round runs all of them, beginning with another one each time, so that what else the machine does
/// hits all alike; the first round warms up and does not count. The first contestant is ours, with which the others are compared.
/// </summary>
internal static class Comparison
{
    internal static Task<ResultTable> RunAsync(Stage stage, string caption, params IReadOnlyList<Contestant> contestants) =>
        RunAsync(stage, caption, turns: 1, contestants);

    /// <summary>The same in several turns a round.</summary>
    /// <param name="stage">What it runs on.</param>
    /// <param name="caption">What the table is called.</param>
    /// <param name="turns">
    /// How often each comes in a round, which counts as one run: for work so short that otherwise a disturbance of a tenth of a second hits one contestant alone.
    /// </param>
    /// <param name="contestants">Who takes part.</param>
    internal static async Task<ResultTable> RunAsync(Stage stage, string caption, int turns, params IReadOnlyList<Contestant> contestants)
    {
        if (stage.IsAlone) contestants = [.. contestants.Where((who, index) => index == 0 || who.IsVariant)];
        var samples = contestants.Select(static _ => new List<Sample>()).ToArray();
        for (var round = 0; round <= stage.Runs; round++)
        {
            var sums = new Sample[contestants.Count];
            for (var turn = 0; turn < turns * contestants.Count; turn++)
            {
                var index = (round + turn + turn / contestants.Count) % contestants.Count;
                // Once for each: to settle takes longer than many a turn.
                sums[index] += await MeasureAsync(stage, contestants[index], settles: turn < contestants.Count).ConfigureAwait(false);
            }

            if (round > 0)
            {
                for (var index = 0; index < sums.Length; index++) samples[index].Add(sums[index] / turns);
            }

            Console.Error.Write('.');
        }

        Console.Error.WriteLine();
        return Tabulate(caption, contestants, samples);
    }

    private static async Task<Sample> MeasureAsync(Stage stage, Contestant contestant, bool settles)
    {
        await contestant.BeforeAsync().ConfigureAwait(false);
        if (settles) stage.Settle();
        var daemons = contestant.Daemons();
        var (cpu, started) = (CpuClock.Read(daemons), Stopwatch.GetTimestamp());
        await contestant.RunAsync().ConfigureAwait(false);
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        var sample = new Sample(seconds / contestant.Operations, (CpuClock.Read(daemons) - cpu).TotalSeconds / contestant.Operations);
        await contestant.AfterAsync().ConfigureAwait(false);
        return sample;
    }

    private static ResultTable Tabulate(string caption, IReadOnlyList<Contestant> contestants, List<Sample>[] samples)
    {
        var ours = new Summary(samples[0]);
        var rows = new List<IReadOnlyList<string>>();
        for (var i = 0; i < contestants.Count; i++)
        {
            var (who, his) = (contestants[i], new Summary(samples[i]));
            var (above, below) = who.IsVariant ? (his, ours) : (ours, his);
            rows.Add(
            [
                who.Name, Time(his.Minimum), Time(his.Median), Time(his.Cpu),
                i == 0 ? "" : Ratio(above.Minimum / below.Minimum, who.Bar),
                i == 0 ? "" : Ratio(above.Median / below.Median, who.Bar),
                i == 0 ? "" : Ratio(above.Cpu / below.Cpu, who.CpuBar),
            ]);
        }

        var variants = contestants.Any(static who => who.IsVariant) ? "; of a second way of ours: its ÷ ours" : "";
        return new ResultTable(
            $"{caption} ({samples[0].Count} rounds; ratios are ours ÷ theirs{variants})",
            ["", "minimum", "median", "CPU", "ratio of minima", "of medians", "of CPU"], rows);
    }

    /// <summary>A time with three digits and the unit that fits.</summary>
    internal static string Time(double seconds) => seconds switch
    {
        >= 1 => Digits(seconds) + " s",
        >= 1e-3 => Digits(seconds * 1e3) + " ms",
        _ => Digits(seconds * 1e6) + " µs",
    };

    private static string Digits(double value) =>
        value.ToString(value >= 99.95 ? "F0" : value >= 9.995 ? "F1" : "F2", CultureInfo.InvariantCulture);

    private static string Ratio(double ratio, double? bar)
    {
        if (!double.IsFinite(ratio)) return "-";
        var text = ratio.ToString("F2", CultureInfo.InvariantCulture);
        return bar is null ? text : string.Create(CultureInfo.InvariantCulture, $"{text} ({(ratio <= bar ? "bar" : "**misses**")} {bar:0.0#})");
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Sample(double Seconds, double Cpu)
    {
        public static Sample operator +(Sample one, Sample other) => new(one.Seconds + other.Seconds, one.Cpu + other.Cpu);

        public static Sample operator /(Sample sum, int count) => new(sum.Seconds / count, sum.Cpu / count);
    }

    private sealed class Summary(IReadOnlyList<Sample> samples)
    {
        internal double Minimum { get; } = samples.Min(static one => one.Seconds);

        internal double Median { get; } = MedianOf(samples.Select(static one => one.Seconds));

        internal double Cpu { get; } = MedianOf(samples.Select(static one => one.Cpu));

        private static double MedianOf(IEnumerable<double> values)
        {
            var sorted = values.Order().ToArray();
            return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
        }
    }
}
