using StorageActors.Benchmarks.Compare;
using StorageActors.Client;
using StorageActors.Engine;

namespace StorageActors.Benchmarks.Jobs;

/// <summary>Runs of ours that each need a fresh store.</summary>
internal sealed class StoreRun(Stage stage, bool durable)
{
    private StorageEngine? _engine;

    internal StorageClient Store => _engine!.Client;

    internal Contestant Contestant(string name, Func<StorageClient, Task> work) => new(name, () => work(Store))
    {
        BeforeAsync = async () => _engine = await OwnStore.StartAsync(stage.NewDirectory(), durable).ConfigureAwait(false),
        AfterAsync = async () =>
        {
            var root = _engine!.Root;
            await _engine.DisposeAsync().ConfigureAwait(false);
            stage.Delete(root);
        },
    };
}
