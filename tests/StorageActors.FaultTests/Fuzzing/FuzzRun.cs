namespace StorageActors.FaultTests.Fuzzing;

/// <summary>The long run: every target in turns, for as long as is asked for.</summary>
internal static class FuzzRun
{
    private static readonly TimeSpan Turn = TimeSpan.FromSeconds(20);

    internal static int Run(TimeSpan duration, int seed, string? only)
    {
        var started = TimeProvider.System.GetTimestamp();
        var totals = FuzzTargets.Names.Where(name => only is null || name == only).ToDictionary(static name => name, static _ => (Inputs: 0L, Refused: 0L, Findings: 0));
        var next = totals.Keys.ToDictionary(static name => name, _ => seed);
        while (TimeProvider.System.GetElapsedTime(started) < duration)
        {
            foreach (var name in totals.Keys.ToList())
            {
                using var target = FuzzTargets.Open(name);
                var turn = TimeProvider.System.GetTimestamp();
                var left = TimeSpan.FromTicks(Math.Min(Turn.Ticks, duration.Ticks / totals.Count));
                var result = Fuzzer.Run(target, next[name], _ => TimeProvider.System.GetElapsedTime(turn) < left);
                next[name] += (int)result.Inputs;
                var (inputs, refused, findings) = totals[name];
                totals[name] = (inputs + result.Inputs, refused + result.Refused, findings + result.Findings.Count);
                foreach (var finding in result.Findings) Report(finding);
            }
        }

        Console.WriteLine("| Input | Tried | Refused | Findings |\n|---|---|---|---|");
        foreach (var (name, (inputs, refused, findings)) in totals) Console.WriteLine($"| {name} | {inputs} | {refused} | {findings} |");
        return totals.Values.Any(static total => total.Findings > 0) ? 1 : 0;
    }

    private static void Report(Finding finding)
    {
        var path = Path.Combine(Path.GetTempPath(), $"storage-actors-finding-{finding.Target.Replace('/', '-')}-{finding.Seed}");
        File.WriteAllBytes(path, finding.Input);
        Console.WriteLine($"{finding.Target}, seed {finding.Seed}, kept in {path}: {finding.What}");
    }
}
