using System.Globalization;

namespace StorageActors.Benchmarks.Compare;

/// <summary>CPU time of this process, of the children that it waited for, and of daemons with all below them.</summary>
internal static class CpuClock
{
    /// <summary>/proc counts in ticks of a hundredth of a second.</summary>
    private const double TicksPerSecond = 100;

    internal static TimeSpan Read(IReadOnlyList<int> daemons)
    {
        var children = Stat("self") is { } self ? self.Waited : 0;
        var others = daemons.Sum(Tree);
        return Environment.CpuUsage.TotalTime + TimeSpan.FromSeconds((children + others) / TicksPerSecond);
    }

    private static long Tree(int root)
    {
        var processes = Directory.EnumerateDirectories("/proc")
            .Select(static path => Path.GetFileName(path)).Where(static name => char.IsAsciiDigit(name[0]))
            .Select(static name => (Pid: int.Parse(name, CultureInfo.InvariantCulture), Stat: Stat(name)))
            .Where(static one => one.Stat is not null).ToDictionary(static one => one.Pid, static one => one.Stat!.Value);
        long sum = 0;
        foreach (var (pid, stat) in processes)
        {
            var at = pid;
            while (at != root && processes.TryGetValue(at, out var up)) at = up.Parent;
            if (at == root) sum += stat.Own + stat.Waited;
        }

        return sum;
    }

    private static (int Parent, long Own, long Waited)? Stat(string process)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{process}/stat");
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');   // the name may hold blanks; the state comes first
            long Ticks(int field) => long.Parse(fields[field - 3], CultureInfo.InvariantCulture);
            return ((int)Ticks(4), Ticks(14) + Ticks(15), Ticks(16) + Ticks(17));
        }
        catch (IOException)
        {
            return null;   // it ended
        }
    }
}
