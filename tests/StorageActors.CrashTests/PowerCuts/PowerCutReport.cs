using System.Globalization;
using StorageActors.CrashTests.Kills;
using StorageActors.TestSupport;

namespace StorageActors.CrashTests.PowerCuts;

/// <summary>The long run: cuts on ext4, xfs and btrfs, in turns, until there are enough.</summary>
internal static class PowerCutReport
{
    internal static async Task<int> RunAsync(IReadOnlyList<string> arguments)
    {
        var (wanted, first, each) = (KillReport.Number(arguments, "--cuts", 120), KillReport.Number(arguments, "--seed", 1), KillReport.Number(arguments, "--cuts-per-store", 8));
        var durability = arguments.Contains("--none", StringComparer.Ordinal) ? "none" : "full";
        var done = new SortedDictionary<FileSystemKind, (int Cuts, long Unflushed, int Violations, int Packed)>();
        for (var seed = first; done.Values.Sum(static one => one.Cuts) < wanted; seed++)
        {
            var kind = (FileSystemKind)(seed % 3);
            var cuts = await new PowerCutRun(kind, seed, durability).RunAsync(each, TimeSpan.FromSeconds(1)).ConfigureAwait(false);
            foreach (var cut in cuts)
            {
                var so = done.GetValueOrDefault(kind);
                done[kind] = (so.Cuts + 1, so.Unflushed + cut.Unflushed, so.Violations + cut.Violations.Count, so.Packed + (cut.WasPacked ? 1 : 0));
                foreach (var violation in cut.Violations) Console.WriteLine($"VIOLATION {cut.How}: {violation}");
            }

            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{kind}, seed {seed}: {cuts.Count} cuts"));
        }

        foreach (var (kind, so) in done)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{kind}: {so.Cuts} cuts, {so.Unflushed / so.Cuts} unflushed blocks at a cut, {so.Packed} with a packed snapshot, {so.Violations} violations"));
        return done.Values.Sum(static one => one.Violations) == 0 ? 0 : 1;
    }
}
