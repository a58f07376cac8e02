using System.Diagnostics;
using System.Globalization;
using StorageActors.Benchmarks.Compare;
using StorageActors.Engine;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.Benchmarks.Jobs;

/// <summary>A writable layer on a stack is mounted and unmounted: by message, and by the bare system calls on the same directories.</summary>
internal sealed class MountJob : IJob
{
    private const int Operations = 50;

    /// <summary>A turn takes hundredths of a second: what disturbs the machine for longer disturbs all. Its first mount finds threads asleep and caches cold, and is shown by itself, too.</summary>
    private const int Turns = 5;

    /// <summary>Turns before the first table: what is compiled anew because it runs often is compiled by then.</summary>
    private const int WarmingTurns = 40;

    private const int OtherMounts = 1000;

    public string Name => "mount";

    public string Title => "mount and unmount a writable layer, message in, path out";

    public async Task<IReadOnlyList<ResultTable>> RunAsync(Stage stage)
    {
        var tables = new List<ResultTable>();
        foreach (var lowers in (int[])[1, 20, 128, 499])
            tables.Add(await CompareAsync(stage, lowers, otherMounts: 0).ConfigureAwait(false));
        foreach (var lowers in (int[])[1, 20, 128])
            tables.Add(await CompareAsync(stage, lowers, OtherMounts).ConfigureAwait(false));
        return tables;
    }

    private static async Task<ResultTable> CompareAsync(Stage stage, int lowers, int otherMounts)
    {
        var root = stage.NewDirectory();
        var others = stage.NewDirectory();
        var engine = await OwnStore.StartAsync(root).ConfigureAwait(false);
        try
        {
            var stack = new List<LayerId>();
            LayerId? parent = null;
            for (var i = 0; i < lowers; i++)
            {
                var made = await engine.Client.CreateAsync(parent).ConfigureAwait(false);
                parent = (await engine.Client.SealAsync(made.Id).ConfigureAwait(false)).Id;
                stack.Add(made.Id);
            }

            var (layer, bare) = ((await engine.Client.CreateAsync(parent).ConfigureAwait(false)).Id, (await engine.Client.CreateAsync(parent).ConfigureAwait(false)).Id);
            for (var i = 0; i < otherMounts; i++)
            {
                var at = Directory.CreateDirectory(Path.Combine(others, i.ToString(CultureInfo.InvariantCulture))).FullName;
                Libc.Mount("none", at, "tmpfs", MountFlags.None, "size=4k"u8);
            }

            using var calls = new BareMount(Path.Combine(engine.Root, "overlay"), bare, stack);
            var what = string.Create(CultureInfo.InvariantCulture, $"{lowers} lowers{(otherMounts > 0 ? $", {otherMounts} other mounts present" : "")}");
            for (var i = 0; i < (lowers == 1 && otherMounts == 0 ? WarmingTurns : 0); i++) await MountAsync(engine, layer, new Durations()).ConfigureAwait(false);
            var (first, firstBare) = (new Durations(), new Durations());
            var table = await Comparison.RunAsync(
                stage, $"{what}, {Turns} times {Operations} a round",
                Turns,
                new Contestant("ours, by message", () => MountAsync(engine, layer, first)) { Operations = Operations },
                new Contestant("bare calls", () =>
                {
                    var started = Stopwatch.GetTimestamp();
                    calls.MountAndUnmount();
                    firstBare.Add(Stopwatch.GetElapsedTime(started));
                    for (var i = 1; i < Operations; i++) calls.MountAndUnmount();
                    return Task.CompletedTask;
                }) { Operations = Operations, Bar = otherMounts > 0 || lowers > 128 ? null : 1.3 },
                new Contestant("bare calls, layers opened by path", () =>
                {
                    for (var i = 0; i < Operations; i++) calls.MountAndUnmount(byPath: true);
                    return Task.CompletedTask;
                }) { Operations = Operations }).ConfigureAwait(false);
            stage.Note($"{what}: the first of a turn takes {Comparison.Time(first.Median)} by message, {Comparison.Time(firstBare.Median)} by bare calls (medians).");
            return table;
        }
        finally
        {
            await engine.DisposeAsync().ConfigureAwait(false);
            stage.Delete(others);
            stage.Delete(root);
        }
    }

    private static async Task MountAsync(StorageEngine engine, LayerId layer, Durations first)
    {
        var (channel, started) = (engine.Client.Channel, Stopwatch.GetTimestamp());
        for (var i = 0; i < Operations; i++)
        {
            var acquire = new LayerProtocol.Acquire(layer, LeaseId.New(), MountOptions.Default, channel.Holder);
            await channel.AskAsync<LayerProtocol.Acquired>(acquire).ConfigureAwait(false);
            await channel.AskAsync<LayerProtocol.Released>(new LayerProtocol.Release(layer, acquire.Lease)).ConfigureAwait(false);
            if (i == 0) first.Add(Stopwatch.GetElapsedTime(started));
        }
    }
}
