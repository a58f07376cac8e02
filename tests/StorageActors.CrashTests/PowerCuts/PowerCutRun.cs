using System.Collections.Immutable;
using System.Globalization;
using StorageActors.CrashTests.Checking;
using StorageActors.CrashTests.Kills;
using StorageActors.CrashTests.Model;
using StorageActors.CrashTests.Workload;
using StorageActors.TestSupport;

namespace StorageActors.CrashTests.PowerCuts;

/// <summary>One moment at which the power went, and what was wrong with the store afterwards.</summary>
/// <param name="How">In words.</param>
/// <param name="Unflushed">Writes of blocks that no flush had made stay.</param>
/// <param name="Violations">Empty: the store is as it must be.</param>
/// <param name="WasPacked">Whether the store has a packed snapshot on the disk.</param>
internal sealed record PowerCut(string How, int Unflushed, IReadOnlyList<string> Violations, bool WasPacked);

/// <summary>
/// A store on a disk with a volatile cache, clients who work on it, and moments at which the power goes. What the disk would hold then is saved; when the work
/// is over each is mounted, and the store in it opened and looked at.
/// </summary>
internal sealed class PowerCutRun(FileSystemKind kind, int seed, string durability)
{
    private const long DiskSize = 512L << 20;
    private const int Workers = 3;

    /// <summary>
    /// How far ahead of the certain part a cut may be seen to be, in lines: what is sent while the power goes is read a little later, on a busy machine as late as a
    /// pipe holds it.
    /// </summary>
    private const int Lookahead = 2000;

    /// <summary>The engine stops and another starts every now and then, so that cuts meet that, too.</summary>
    private const int StepsOfALife = 40;

    private readonly Random _packing = new(seed);
    private readonly ImmutableList<WorkerModel> _models = [.. Enumerable.Range(0, Workers).Select(WorkerModel.Empty)];

    /// <summary>Cuts so many times, and looks at each.</summary>
    internal async Task<IReadOnlyList<PowerCut>> RunAsync(int cuts, TimeSpan longestPause)
    {
        using var directory = new TempDirectory();
        var (taken, lines) = await WorkAsync(directory, cuts, longestPause).ConfigureAwait(false);
        var results = new List<PowerCut>(taken.Count);
        foreach (var (index, (cut, certain)) in taken.Index())
        {
            var how = string.Create(CultureInfo.InvariantCulture, $"{kind}, seed {seed}, durability {durability}, cut {index + 1} after {certain} lines: {cut.Kept} of {cut.Unflushed} unflushed blocks kept");
            var (violations, wasPacked) = await LookAsync(directory, cut, lines, certain).ConfigureAwait(false);
            results.Add(new PowerCut(how, cut.Unflushed, violations, wasPacked));
        }

        return results;
    }

    private async Task<(IReadOnlyList<(Cut Cut, int Certain)> Cuts, IReadOnlyList<string> Lines)> WorkAsync(TempDirectory directory, int cuts, TimeSpan longestPause)
    {
        var random = new Random(seed);
        var taken = new List<(Cut, int)>(cuts);
        using var disk = new CutDisk(directory["disk"], new BlockLog(DiskSize));
        var device = LoopMount.Attach(disk.Path);
        try
        {
            LoopMount.Make(kind, device);
            using var mount = LoopMount.Mount(kind, device, directory["worked-on"]);
            var order = new WorkloadOrder(Path.Combine(mount.Directory, "store"), Directory.CreateDirectory(directory["blobs"]).FullName, seed, StepsOfALife, 0, Store(), _models, Lives: 1_000_000);
            using var process = WorkloadProcess.Start(order, null);
            await process.Ready.ConfigureAwait(false);
            while (taken.Count < cuts && !process.Ended.IsCompleted)
            {
                await Task.WhenAny(process.Ended, Task.Delay(longestPause * random.NextDouble())).ConfigureAwait(false);
                var cut = await CutAsync(disk.Log, process, random, isFirst: taken.Count == 0).ConfigureAwait(false);
                if (cut is { } one) taken.Add(one);
            }

            process.Kill();
            await process.EndAsync().ConfigureAwait(false);
            return (taken, process.Lines());
        }
        finally
        {
            LoopMount.Detach(device);
        }
    }

    /// <summary>Now, whatever the disk does, or, the first time and more often than not, in the midst of its writing.</summary>
    private static async Task<(Cut Cut, int Certain)?> CutAsync(BlockLog log, WorkloadProcess process, Random random, bool isFirst)
    {
        if (random.Next(3) == 0 && !isFirst) return Take();
        var cut = new TaskCompletionSource<(Cut, int)>(TaskCreationOptions.RunContinuationsAsynchronously);
        log.AfterWrites(random.Next(1, 400), () => cut.TrySetResult(Take()));
        await Task.WhenAny(cut.Task, process.Ended).ConfigureAwait(false);
        return cut.Task.IsCompleted ? await cut.Task.ConfigureAwait(false) : null;

        // First what was heard, then the cut: what was heard before it must be on the disk.
        (Cut, int) Take()
        {
            var certain = process.Lines().Count;
            return (log.CutNow(random), certain);
        }
    }

    /// <summary>With any size for a large store.</summary>
    private StoreKind Store() => new(durability, StoreKind.AnyPackFrom(_packing));

    private async Task<(IReadOnlyList<string> Violations, bool WasPacked)> LookAsync(TempDirectory directory, Cut cut, IReadOnlyList<string> lines, int certain)
    {
        var image = directory["cut"];
        cut.Save(image);
        var device = LoopMount.Attach(image);
        try
        {
            using var mount = LoopMount.Mount(kind, device, directory["after"]);
            var root = Path.Combine(mount.Directory, "store");
            var (heard, all) = (lines.Take(certain).ToList(), lines.Take(certain + Lookahead).ToList());
            var replays = _models.ConvertAll(model => Replay.Of(model, heard, all));
            var inspection = new Inspection(root, Store(), IsSameKernel: false);
            var wasPacked = SnapshotMark.HasPacked(root);
            var violations = durability == "full"
                ? (await StoreInspection.RunAsync(inspection, replays).ConfigureAwait(false)).Violations
                : await WeakInspection.RunAsync(inspection, replays).ConfigureAwait(false);
            await KillRun.ReleaseAllAsync(root, inspection.Store).ConfigureAwait(false);
            var faults = all.Where(static line => line.StartsWith("! ", StringComparison.Ordinal)).Select(static line => "the workload met: " + line[2..]);
            return ([.. faults, .. violations], wasPacked);
        }
        finally
        {
            LoopMount.Detach(device);
            File.Delete(image);
        }
    }
}
