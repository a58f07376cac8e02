using System.Collections.Immutable;
using System.Globalization;
using StorageActors.CrashTests.Checking;
using StorageActors.CrashTests.Model;
using StorageActors.CrashTests.Workload;
using StorageActors.Engine;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.Store;
using StorageActors.TestSupport;

namespace StorageActors.CrashTests.Kills;

/// <summary>How a process died, and what was wrong with the store afterwards.</summary>
/// <param name="How">In words, with what is needed to repeat it.</param>
/// <param name="WasKilled">Whether it died; a process may end its work before.</param>
/// <param name="Violations">Empty: the store is as it must be.</param>
/// <param name="Log">What the process had said, and the warnings of its engine.</param>
/// <param name="WasPacked">Whether its store had a packed snapshot then.</param>
internal sealed record Death(string How, bool WasKilled, IReadOnlyList<string> Violations, IReadOnlyList<string> Log, bool WasPacked = false);

/// <summary>One store and the deaths of those who work on it, one after the other; what each leaves is where the next begins.</summary>
internal sealed class KillRun : IAsyncDisposable
{
    private const int Workers = 3;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(6);

    private readonly TempDirectory _directory = new();
    private readonly int _seed;
    private readonly string _durability;
    private readonly Random _packing;
    private ImmutableList<WorkerModel> _models = [.. Enumerable.Range(0, Workers).Select(WorkerModel.Empty)];
    private int _round;
    private int _packFrom;

    internal KillRun(int seed, string durability = "full")
    {
        (_seed, _durability, _packing) = (seed, durability, new Random(seed));
        _packFrom = StoreKind.AnyPackFrom(_packing);
        Directory.CreateDirectory(Blobs);
    }

    private string Root => _directory["store"];

    private string Blobs => _directory["blobs"];

    private StoreKind Store => new(_durability, _packFrom);

    /// <summary>Dies at the n-th passing of a named place; at the first of one that has to be led up to.</summary>
    internal async Task<Death> DieAtAsync(string place, int passing, int steps = 60, int leaseCycles = 0)
    {
        if (place is CrashPoint.MarkWritten or CrashPoint.StoreMarked or CrashPoint.StoreUnmarked or CrashPoint.NamesBegun)
        {
            // A store that is small, and then large, to its end; or the other way round.
            var (before, now) = place == CrashPoint.StoreUnmarked ? (StoreKind.Always, StoreKind.Never) : (StoreKind.Never, StoreKind.Always);
            await RestAsync(before).ConfigureAwait(false);
            (_packFrom, passing) = (now, 1);
        }

        var crashAt = string.Create(CultureInfo.InvariantCulture, $"{place}:{passing}");
        var seed = NextSeed();
        using var process = WorkloadProcess.Start(Order(seed, steps, leaseCycles), crashAt);
        return await SettleAsync(process, Say($"at {crashAt}")).ConfigureAwait(false);
    }

    /// <summary>Dies so long after its start, or after its engine serves.</summary>
    internal async Task<Death> DieAfterAsync(TimeSpan time, bool isServing)
    {
        var seed = NextSeed();
        using var process = WorkloadProcess.Start(Order(seed, 10_000, 0), null);
        if (isServing) await process.Ready.ConfigureAwait(false);
        await Task.WhenAny(process.Ended, Task.Delay(time)).ConfigureAwait(false);
        process.Kill();
        return await SettleAsync(process, Say(string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0} ms after {(isServing ? "it served" : "its start")}"))).ConfigureAwait(false);
    }

    /// <summary>Dies so long after its engine was told to stop, with a little work done. It may be faster, and end.</summary>
    internal async Task<Death> DieStoppingAsync(TimeSpan time)
    {
        var seed = NextSeed();
        using var process = WorkloadProcess.Start(Order(seed, 3, 0), null);
        await process.Stopping.ConfigureAwait(false);
        await Task.WhenAny(process.Ended, Task.Delay(time)).ConfigureAwait(false);
        process.Kill();
        return await SettleAsync(process, Say(string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0} ms after it was told to stop"))).ConfigureAwait(false);
    }

    /// <summary>Dies at a place that only a store reaches which nobody has looked at since the last death.</summary>
    internal async Task<bool> DieUnseenAsync(string place)
    {
        using var process = WorkloadProcess.Start(Order(NextSeed(), 60, 0), place);
        var (exitCode, _) = await process.EndAsync().ConfigureAwait(false);
        Follow(process.Lines());
        return exitCode == 128 + 9;
    }

    /// <summary>Gives back every lease, and fails when a mount is left.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Directory.Exists(Root)) await ReleaseAllAsync(Root, Store).ConfigureAwait(false);
        _directory.Dispose();
    }

    internal static async Task ReleaseAllAsync(string root, StoreKind store)
    {
        if (MountTable.ReadBelow(root).Count == 0) return;
        try
        {
            var engine = await StorageEngine.StartAsync(WorkloadProgram.Configure(root, store, "OFF")).ConfigureAwait(false);
            await using var stopping = engine.ConfigureAwait(false);
            foreach (var mount in await engine.Client.ListMountsAsync().ConfigureAwait(false))
                await engine.Client.Channel.AskAsync<LayerProtocol.Released>(new LayerProtocol.ReleaseAll(mount.Layer)).ConfigureAwait(false);
        }
        catch (StorageException)
        {
            // A store that does not open was reported; its mounts go with the directory.
        }
    }

    private WorkloadOrder Order(int seed, int steps, int leaseCycles) => new(Root, Blobs, seed, steps, leaseCycles, Store, _models);

    /// <summary>An engine starts and stops: what it can sum up is summed up.</summary>
    private async Task RestAsync(int packFrom)
    {
        var engine = await StorageEngine.StartAsync(WorkloadProgram.Configure(Root, new StoreKind(_durability, packFrom), "OFF")).ConfigureAwait(false);
        await engine.DisposeAsync().ConfigureAwait(false);
    }

    private int NextSeed() => unchecked((_seed * 1000) + ++_round);

    private string Say(string how) => string.Create(CultureInfo.InvariantCulture, $"store seed {_seed}, durability {_durability}, packed from {_packFrom}, death {_round}: {how}");

    private async Task<Death> SettleAsync(WorkloadProcess process, string how)
    {
        int exitCode;
        string errors;
        try
        {
            (exitCode, errors) = await process.EndAsync().WaitAsync(Patience).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            process.Kill();
            await process.EndAsync().ConfigureAwait(false); // Its store has an owner until then.
            return new Death(how, WasKilled: false, ["the workload hangs"], process.Lines());
        }

        var lines = process.Lines();
        var violations = lines.Where(static line => line.StartsWith("! ", StringComparison.Ordinal)).Select(static line => "the workload met: " + line[2..]).ToList();
        var wasKilled = exitCode == 128 + 9;
        if (!wasKilled && exitCode != 0 && violations.Count == 0) violations.Add($"the workload ended with {exitCode}: {errors}");
        var replays = _models.ConvertAll(model => Possible(model, lines));
        var wasPacked = SnapshotMark.HasPacked(Root);
        // Who looks, and the next to work, take the store for larger or smaller than the one that died.
        var (models, found) = await StoreInspection.RunAsync(new Inspection(Root, new StoreKind(_durability, StoreKind.AnyPackFrom(_packing)), IsSameKernel: true), replays).ConfigureAwait(false);
        (_models, _packFrom) = (models, StoreKind.AnyPackFrom(_packing));
        return new Death(how, wasKilled, [.. violations, .. found], [.. lines, errors], wasPacked);
    }

    private readonly Dictionary<int, ImmutableList<WorkerModel>> _unseen = [];

    /// <summary>Each state that an unseen death may have left is a state from which this life may have begun.</summary>
    private Replay Possible(WorkerModel model, IReadOnlyList<string> lines)
    {
        var starts = _unseen.Remove(model.Worker, out var unseen) ? unseen : [model];
        var replays = starts.ConvertAll(start => Replay.Of(start, lines, lines));
        return replays[0] with { Possible = [.. replays.SelectMany(static replay => replay.Possible)] };
    }

    /// <summary>The workers do not know what came of their last steps, so they begin where nothing is in doubt; a tour on top of it is new layers.</summary>
    private void Follow(IReadOnlyList<string> lines)
    {
        foreach (var model in _models) _unseen[model.Worker] = Replay.Of(model, lines, lines).Possible;
        _models = _models.ConvertAll(model => model with { Next = _unseen[model.Worker][0].Next });
    }
}
