using StorageActors.Benchmarks.Compare;
using StorageActors.Benchmarks.Inputs;
using StorageActors.Benchmarks.Peers;
using StorageActors.Client;
using StorageActors.Engine;
using StorageActors.Protocol;

namespace StorageActors.Benchmarks.Jobs;

/// <summary>A layer of more than 30,000 files goes: what the caller waits for, and when the bytes are gone. The engine has removed layers before.</summary>
internal sealed class RemoveJob : IJob
{
    /// <summary>After so many calls a method is compiled for good.</summary>
    private const int Before = 40;

    public string Name => "remove";

    public string Title => "remove the small-file layer";

    public async Task<IReadOnlyList<ResultTable>> RunAsync(Stage stage)
    {
        var small = stage.Inputs.Small;
        return
        [
            await Comparison.RunAsync(stage, "as the caller waits (bar: 5 ms)", stage.Present(
                (null, Ours(stage, "ours, unsynced", durable: false, small, static (engine, layer) => engine.Client.RemoveAsync(layer))),
                (null, Ours(stage, "ours, durable", durable: true, small, static (engine, layer) => engine.Client.RemoveAsync(layer)) with { IsVariant = true }),
                (ContainersStorage.Program, Peer(stage, small)))).ConfigureAwait(false),
            await Comparison.RunAsync(
                stage, "until the bytes are gone",
                Ours(stage, "ours, unsynced", durable: false, small, RemoveAndWaitAsync),
                RmRf(stage, small) with { Bar = 1.2 }).ConfigureAwait(false),
        ];
    }

    private static Contestant Ours(Stage stage, string name, bool durable, LayerInput input, Func<StorageEngine, LayerId, Task> remove)
    {
        StorageEngine? engine = null;
        LayerId layer = default;
        return new Contestant(name, () => remove(engine!, layer))
        {
            BeforeAsync = async () =>
            {
                engine = await OwnStore.StartAsync(stage.NewDirectory(), durable).ConfigureAwait(false);
                await WarmUpAsync(engine.Client).ConfigureAwait(false);
                layer = (await engine.Client.ApplyAsync(input.Gzip).ConfigureAwait(false)).Id;
            },
            AfterAsync = async () =>
            {
                await engine!.DisposeAsync().ConfigureAwait(false);
                stage.Delete(engine.Root);
            },
        };
    }

    /// <summary>The first removals of an engine wait for the compiler rather than for the disk.</summary>
    private static async Task WarmUpAsync(StorageClient store)
    {
        for (var i = 0; i < Before; i++)
        {
            var layer = await store.CreateAsync(null).ConfigureAwait(false);
            await store.RemoveAsync(layer.Id).ConfigureAwait(false);
        }
    }

    private static async Task RemoveAndWaitAsync(StorageEngine engine, LayerId layer)
    {
        await engine.Client.RemoveAsync(layer).ConfigureAwait(false);
        var trash = Path.Combine(engine.Root, "trash");
        while (Directory.EnumerateFileSystemEntries(trash).Any()) await Task.Delay(1).ConfigureAwait(false);
    }

    private static Contestant Peer(Stage stage, LayerInput input)
    {
        var layer = "";
        var home = "";
        return new Contestant("containers-storage delete-layer", () =>
        {
            new ContainersStorage(home).Run("delete-layer", layer);
            return Task.CompletedTask;
        })
        {
            BeforeAsync = () =>
            {
                layer = new ContainersStorage(home = stage.NewDirectory()).Import(input.Gzip);
                return Task.CompletedTask;
            },
            AfterAsync = () =>
            {
                stage.Delete(home);
                return Task.CompletedTask;
            },
        };
    }

    private static Contestant RmRf(Stage stage, LayerInput input)
    {
        var home = "";
        return new Contestant("rm -rf of the same tree", () =>
        {
            Shell.Run($"rm -rf '{home}/tree'");
            return Task.CompletedTask;
        })
        {
            BeforeAsync = () =>
            {
                home = stage.NewDirectory();
                Shell.Run($"mkdir '{home}/tree'; tar --numeric-owner -xpf '{input.Tar}' -C '{home}/tree'");
                return Task.CompletedTask;
            },
            AfterAsync = () =>
            {
                stage.Delete(home);
                return Task.CompletedTask;
            },
        };
    }
}
