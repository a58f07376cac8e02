using System.Globalization;
using StorageActors.Store;

namespace StorageActors.CrashTests.Kills;

/// <summary>
/// The long run: hundreds of deaths at named places and at random times, on stores of their own of a few deaths each. Every violation is printed with the
/// seed of its store; the same seed gives the same commands and the same places again.
/// </summary>
internal static class KillReport
{
    /// <summary>Runs and prints; the exit code is 1 when there was a violation.</summary>
    internal static async Task<int> RunAsync(IReadOnlyList<string> arguments)
    {
        var (deaths, first, each) = (Number(arguments, "--deaths", 500), Number(arguments, "--seed", 1), Number(arguments, "--deaths-per-store", 12));
        var (killed, ended, violated, packed) = (0, 0, 0, 0);
        var places = new SortedDictionary<string, int>(StringComparer.Ordinal);
        for (var seed = first; killed < deaths; seed++)
        {
            await using var run = new KillRun(seed, seed % 5 == 0 ? "none" : "full");
            var random = new Random(seed);
            for (var death = 0; death < each && killed < deaths; death++)
            {
                var (how, place) = await OneAsync(run, random).ConfigureAwait(false);
                if (how.WasKilled)
                {
                    killed++;
                    packed += how.WasPacked ? 1 : 0;
                    places[place] = places.GetValueOrDefault(place) + 1;
                }
                else
                {
                    ended++;
                }

                violated += how.Violations.Count;
                foreach (var violation in how.Violations) Console.WriteLine($"VIOLATION {how.How}: {violation}");
                if (how.Violations.Count > 0 && Text(arguments, "--logs") is { } logs)
                    await File.WriteAllLinesAsync(Path.Combine(logs, string.Create(CultureInfo.InvariantCulture, $"store-{seed}.log")), how.Log).ConfigureAwait(false);
                if (how.Violations.Count > 0) break; // What follows from it is no news.
            }

            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"store seed {seed}: {killed} deaths, {ended} ended before their place came, {violated} violations"));
        }

        foreach (var (place, count) in places) Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{count,5}  {place}"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"deaths {killed}, {packed} of them with a packed snapshot, violations {violated}"));
        return violated == 0 ? 0 : 1;
    }

    internal static int Number(IReadOnlyList<string> arguments, string name, int otherwise)
    {
        var at = arguments.ToList().IndexOf(name);
        return at < 0 ? otherwise : int.Parse(arguments[at + 1], NumberStyles.None, CultureInfo.InvariantCulture);
    }

    private static string? Text(IReadOnlyList<string> arguments, string name)
    {
        var at = arguments.ToList().IndexOf(name);
        return at < 0 ? null : arguments[at + 1];
    }

    private static async Task<(Death Death, string Place)> OneAsync(KillRun run, Random random)
    {
        var kind = random.Next(10);
        if (kind < 6)
        {
            var place = CrashPoint.Names[random.Next(CrashPoint.Names.Count)];
            return (await run.DieAtAsync(place, random.Next(1, 9), leaseCycles: place.Contains("lease-snapshot", StringComparison.Ordinal) ? 110 : 0).ConfigureAwait(false), place);
        }

        if (kind == 6) return (await run.DieStoppingAsync(TimeSpan.FromMilliseconds(random.Next(150))).ConfigureAwait(false), "at its stop, any time");
        var isServing = kind > 7;
        return (await run.DieAfterAsync(TimeSpan.FromMilliseconds(random.Next(isServing ? 1500 : 1000)), isServing).ConfigureAwait(false), isServing ? "at work, any time" : "at its start, any time");
    }
}
