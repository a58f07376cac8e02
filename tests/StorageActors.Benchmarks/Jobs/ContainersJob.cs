using StorageActors.Benchmarks.Compare;
using StorageActors.Benchmarks.Peers;
using StorageActors.Client;
using StorageActors.Protocol;
using StorageActors.TestSupport;

namespace StorageActors.Benchmarks.Jobs;

/// <summary>Writable layers, eight side by side: each is made, mounted, unmounted and removed; by message, and by a process for each step.</summary>
internal sealed class ContainersJob : IJob
{
    private const int SideBySide = 8;
    private const int Usual = 1000;

    /// <summary>A process for each step takes its time.</summary>
    private const int MostByProcesses = 100;

    public string Name => "containers";

    public string Title => "make, mount, unmount and remove writable layers, eight side by side; times are those of one";

    public async Task<IReadOnlyList<ResultTable>> RunAsync(Stage stage)
    {
        var count = stage.CountOr(Usual);
        var processes = Math.Min(count, MostByProcesses);
        var tar = stage.Inputs.RootFs.Gzip;
        return
        [
            await Comparison.RunAsync(stage, $"make, mount, unmount, remove; {count} by message, {processes} by processes", stage.Present(
                (null, ByMessage(stage, "ours, by message, unsynced", tar, count, durable: false)),
                (null, ByMessage(stage, "ours, by message, durable", tar, count, durable: true) with { IsVariant = true }),
                (null, ByProcesses(stage, "ours, a process for each step and a node, durable", tar, processes, Whole) with { IsVariant = true }),
                (ContainersStorage.Program, Peer(stage, tar, processes)))).ConfigureAwait(false),
            await Comparison.RunAsync(stage, $"make and remove; {processes} by processes that talk to a daemon", stage.Present(
                (null, ByProcesses(stage, "storage-actors create, rm; durable", tar, processes, MakeAndRemove)),
                ("dockerd", Docker(stage, tar, processes)))).ConfigureAwait(false),
        ];
    }

    private static Contestant ByMessage(Stage stage, string name, string tar, int count, bool durable)
    {
        var run = new StoreRun(stage, durable);
        LayerId parent = default;
        var contestant = run.Contestant(name, store => Parallel.ForAsync(0, count, Many(), async (_, _) => await OneAsync(store, parent).ConfigureAwait(false)));
        return contestant with
        {
            Operations = count,
            BeforeAsync = async () =>
            {
                await contestant.BeforeAsync().ConfigureAwait(false);
                parent = (await run.Store.ApplyAsync(tar).ConfigureAwait(false)).Id;
            },
        };
    }

    private static async Task OneAsync(StorageClient store, LayerId parent)
    {
        var layer = (await store.CreateAsync(parent).ConfigureAwait(false)).Id;
        var lease = await store.MountAsync(layer).ConfigureAwait(false);
        await lease.ReleaseAsync().ConfigureAwait(false);
        await store.RemoveAsync(layer).ConfigureAwait(false);
    }

    private static Contestant ByProcesses(Stage stage, string name, string tar, int count, Action<OwnNode, string> work)
    {
        OwnNode? node = null;
        var (home, parent) = ("", "");
        return new Contestant(name, () => InProcesses(count, () => work(node!, parent)))
        {
            Operations = count,
            BeforeAsync = async () =>
            {
                node = await OwnNode.StartAsync(home = stage.NewDirectory()).ConfigureAwait(false);
                parent = node.Run("apply", tar, "--quiet");
            },
            AfterAsync = () =>
            {
                node!.Dispose();
                stage.Delete(home);
                return Task.CompletedTask;
            },
            Daemons = () => node is null ? [] : [node.Pid],
        };
    }

    private static void Whole(OwnNode node, string parent)
    {
        var layer = node.Run("create", "--parent", parent);
        node.Run("mount", layer);
        node.Run("umount", layer);
        node.Run("rm", layer);
    }

    private static void MakeAndRemove(OwnNode node, string parent) => node.Run("rm", node.Run("create", "--parent", parent));

    private static Contestant Peer(Stage stage, string tar, int count)
    {
        ContainersStorage? store = null;
        var parent = "";
        return new Contestant("containers-storage create-layer, mount, unmount, delete-layer", () => InProcesses(count, () =>
        {
            var layer = store!.Run("create-layer", parent).Split('\n')[0].Trim();
            store.Run("mount", layer);
            store.Run("unmount", layer);
            store.Run("delete-layer", layer);
        }))
        {
            Operations = count,
            BeforeAsync = () =>
            {
                store = new ContainersStorage(stage.NewDirectory());
                parent = store.Import(tar);
                return Task.CompletedTask;
            },
            AfterAsync = () =>
            {
                stage.Delete(store!.Home);
                return Task.CompletedTask;
            },
        };
    }

    private static Contestant Docker(Stage stage, string tar, int count)
    {
        Daemon? daemon = null;
        var home = "";
        return new Contestant("docker create, rm", () => InProcesses(count, () => Call("rm", Call("create", "bench:latest", "/bin/true").Trim())))
        {
            Operations = count,
            BeforeAsync = async () =>
            {
                daemon = await Daemon.StartDockerAsync(home = stage.NewDirectory()).ConfigureAwait(false);
                Call("import", tar, "bench:latest");
            },
            AfterAsync = () =>
            {
                daemon!.Dispose();
                stage.Delete(home);
                return Task.CompletedTask;
            },
            Daemons = () => daemon is null ? [] : [daemon.Pid],
        };

        string Call(params IEnumerable<string> arguments) => Command.Run("docker", ["-H", "unix://" + daemon!.Socket, .. arguments]);
    }

    private static Task InProcesses(int count, Action work) => Parallel.ForAsync(0, count, Many(), (_, _) => new ValueTask(Task.Run(work, CancellationToken.None)));

    private static ParallelOptions Many() => new() { MaxDegreeOfParallelism = SideBySide };
}
