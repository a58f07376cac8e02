using System.Diagnostics;
using System.Globalization;
using StorageActors.Benchmarks.Compare;

namespace StorageActors.Benchmarks.Jobs;

/// <summary>One store's part in <see cref="PullsJob"/>: what it does, and how long it took.</summary>
internal sealed class PullsRun(int imports)
{
    private const int IdleSamples = 30;

    // A user asks now and then: who asked without a pause would measure what his questions cost the imports.
    private static readonly TimeSpan ListEach = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan MountEach = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan ProcessEach = TimeSpan.FromSeconds(1);

    private readonly Latencies _idleList = new();
    private readonly Latencies _idleMount = new();
    private readonly Latencies _idleUnmount = new();
    private readonly Latencies _list = new();
    private readonly Latencies _process = new();
    private readonly Latencies _mount = new();
    private readonly Latencies _unmount = new();
    private (double Seconds, double Cpu) _quiet;
    private (double Seconds, double Cpu) _busy;

    /// <summary>Brings a layer in and returns its id.</summary>
    internal required Func<Task<string>> ImportAsync { get; init; }

    internal required Func<string, Task> RemoveAsync { get; init; }

    internal required Func<Task> ListAsync { get; init; }

    /// <summary>The same by a process, where <see cref="ListAsync"/> is none.</summary>
    internal Func<Task>? ListByProcessAsync { get; init; }

    internal required Func<Task> MountAsync { get; init; }

    internal required Func<Task> UnmountAsync { get; init; }

    /// <summary>Asks while nothing goes on; imports while nobody asks; then does both at once.</summary>
    internal async Task MeasureAsync(Stage stage, int removals)
    {
        stage.Settle();
        for (var i = 0; i < IdleSamples; i++)
        {
            await _idleList.TimeAsync(ListAsync).ConfigureAwait(false);
            await _idleMount.TimeAsync(MountAsync).ConfigureAwait(false);
            await _idleUnmount.TimeAsync(UnmountAsync).ConfigureAwait(false);
        }

        var made = new List<string>();
        _quiet = await TimeAsync(stage, async () => made.AddRange(await ImportAllAsync().ConfigureAwait(false))).ConfigureAwait(false);
        foreach (var layer in made.Skip(removals)) await RemoveAsync(layer).ConfigureAwait(false);
        using var done = new CancellationTokenSource();
        var samplers = Task.CompletedTask;
        _busy = await TimeAsync(stage, async () =>
        {
            samplers = Task.WhenAll(
                Task.Run(() => RepeatAsync(ListEach, () => _list.TimeAsync(ListAsync), done.Token)),
                Task.Run(() => RepeatAsync(MountEach, MountOnceAsync, done.Token)),
                ListByProcessAsync is { } list ? Task.Run(() => RepeatAsync(ProcessEach, () => _process.TimeAsync(list), done.Token)) : Task.CompletedTask);
            await Task.WhenAll([ImportAllAsync(), .. made.Take(removals).Select(layer => Task.Run(() => RemoveAsync(layer)))]).ConfigureAwait(false);
        }).ConfigureAwait(false);
        await done.CancelAsync().ConfigureAwait(false);
        await samplers.ConfigureAwait(false);
    }

    internal IEnumerable<IReadOnlyList<string>> Rows(string who)
    {
        yield return [$"{who}, list, idle", .. _idleList.Cells()];
        yield return [$"{who}, list", .. _list.Cells()];
        if (_process.Count > 0) yield return [$"{who}, list by a process", .. _process.Cells()];
        yield return [$"{who}, mount, idle", .. _idleMount.Cells()];
        yield return [$"{who}, mount", .. _mount.Cells()];
        yield return [$"{who}, unmount, idle", .. _idleUnmount.Cells()];
        yield return [$"{who}, unmount", .. _unmount.Cells()];
        yield return [$"{who}, all imports, nobody asks", "1", Text(_quiet.Seconds), "", $"CPU {Text(_quiet.Cpu)}"];
        yield return [$"{who}, all imports and removals, meanwhile", "1", Text(_busy.Seconds), "", $"CPU {Text(_busy.Cpu)}"];
    }

    internal IEnumerable<IReadOnlyList<string>> Ratios(PullsRun theirs)
    {
        yield return ["ours ÷ theirs, list", "", .. _list.Ratios(theirs._list)];
        yield return ["ours ÷ theirs, list by a process", "", .. _process.Ratios(theirs._list)];
        yield return ["ours ÷ theirs, mount", "", .. _mount.Ratios(theirs._mount)];
        yield return ["ours ÷ theirs, unmount", "", .. _unmount.Ratios(theirs._unmount)];
        yield return ["ours ÷ theirs, all imports, nobody asks", "", Ratio(_quiet.Seconds / theirs._quiet.Seconds), "", $"CPU {Ratio(_quiet.Cpu / theirs._quiet.Cpu)}"];
    }

    private async Task<string[]> ImportAllAsync() => await Task.WhenAll(Enumerable.Range(0, imports).Select(_ => Task.Run(ImportAsync))).ConfigureAwait(false);

    private async Task MountOnceAsync()
    {
        await _mount.TimeAsync(MountAsync).ConfigureAwait(false);
        await _unmount.TimeAsync(UnmountAsync).ConfigureAwait(false);
    }

    /// <summary>At least once, then again and again until it is told to stop.</summary>
    private static async Task RepeatAsync(TimeSpan pause, Func<Task> sample, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(pause);
        do await sample().ConfigureAwait(false);
        while (await timer.WaitForNextTickAsync(CancellationToken.None).ConfigureAwait(false) && !stop.IsCancellationRequested);
    }

    private static async Task<(double Seconds, double Cpu)> TimeAsync(Stage stage, Func<Task> work)
    {
        stage.Settle();
        var (cpu, started) = (CpuClock.Read([]), Stopwatch.GetTimestamp());
        await work().ConfigureAwait(false);
        return (Stopwatch.GetElapsedTime(started).TotalSeconds, (CpuClock.Read([]) - cpu).TotalSeconds);
    }

    private static string Text(double seconds) => seconds.ToString("0.0 s", CultureInfo.InvariantCulture);

    private static string Ratio(double ratio) => ratio.ToString("0.00", CultureInfo.InvariantCulture);
}
