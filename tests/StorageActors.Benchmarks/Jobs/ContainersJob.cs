using StorageActors.Benchmarks.Compare;
using StorageActors.Benchmarks.Peers;
using StorageActors.Client;
using StorageActors.Protocol;
using StorageActors.TestSupport;

namespace StorageActors.Benchmarks.Jobs;

/// <summary>Writable layers, eight side by side: each is made, mounted, unmounted and removed.</summary>
internal sealed class ContainersJob : IJob
{
    private const int SideBySide = 8;
    private const int Ours = 1000;
    private const int Theirs = 64;

    public string Name => "containers";

    public string Title => "make, mount, unmount and remove writable layers, eight side by side; times are those of one";

    public async Task<IReadOnlyList<ResultTable>> RunAsync(Stage stage)
    {
        var tar = stage.Inputs.RootFs.Gzip;
        return
        [
            await Comparison.RunAsync(stage, $"ours {Ours} layers by message, the peers {Theirs} by processes", stage.Present(
                (null, Own(stage, "ours, unsynced", tar, durable: false)),
                (null, Own(stage, "ours, durable", tar, durable: true) with { IsVariant = true }),
                (ContainersStorage.Program, Peer(stage, tar)),
                ("dockerd", Docker(stage, tar)))).ConfigureAwait(false),
        ];
    }

    private static Contestant Own(Stage stage, string name, string tar, bool durable)
    {
        var run = new StoreRun(stage, durable);
        LayerId parent = default;
        var contestant = run.Contestant(name, store => Parallel.ForAsync(0, Ours, Many(), async (_, _) => await OneAsync(store, parent).ConfigureAwait(false)));
        return contestant with
        {
            Operations = Ours,
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

    private static Contestant Peer(Stage stage, string tar)
    {
        ContainersStorage? store = null;
        var parent = "";
        return new Contestant("containers-storage create-layer, mount, unmount, delete-layer", () => Parallel.ForAsync(0, Theirs, Many(), (_, _) =>
        {
            var layer = store!.Run("create-layer", parent).Split('\n')[0].Trim();
            store.Run("mount", layer);
            store.Run("unmount", layer);
            store.Run("delete-layer", layer);
            return ValueTask.CompletedTask;
        }))
        {
            Operations = Theirs,
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

    private static Contestant Docker(Stage stage, string tar)
    {
        Daemon? daemon = null;
        var home = "";
        return new Contestant("docker create, docker rm (no mount)", () => Parallel.ForAsync(0, Theirs, Many(), (_, _) =>
        {
            var container = Call("create", "bench:latest", "/bin/true").Trim();
            Call("rm", container);
            return ValueTask.CompletedTask;
        }))
        {
            Operations = Theirs,
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
            Daemon = () => daemon?.Pid,
        };

        string Call(params IEnumerable<string> arguments) => Command.Run("docker", ["-H", "unix://" + daemon!.Socket, .. arguments]);
    }

    private static ParallelOptions Many() => new() { MaxDegreeOfParallelism = SideBySide };
}
