using StorageActors.Benchmarks.Compare;
using StorageActors.Benchmarks.Inputs;
using StorageActors.Engine;
using StorageActors.Protocol;

namespace StorageActors.Benchmarks.Jobs;

/// <summary>A writable layer with 10,000 new files becomes a tar: a native diff, since nothing of it was ever a tar.</summary>
internal sealed class DiffJob : IJob
{
    private const int Files = 10_000;

    public string Name => "diff";

    public string Title => "diff of 10,000 files to a tar";

    public async Task<IReadOnlyList<ResultTable>> RunAsync(Stage stage)
    {
        var root = stage.NewDirectory();
        var engine = await OwnStore.StartAsync(root).ConfigureAwait(false);
        await using (engine.ConfigureAwait(false))
        {
            var store = engine.Client;
            var parent = await store.ApplyAsync(stage.Inputs.RootFs.Gzip).ConfigureAwait(false);
            var layer = await store.CreateAsync(parent.Id).ConfigureAwait(false);
            var lease = await store.MountAsync(layer.Id).ConfigureAwait(false);
            Fill(stage.Inputs.Small.Tar, Path.Combine(lease.Path, "srv"));
            await lease.DisposeAsync().ConfigureAwait(false);

            var target = Path.Combine(root, "out.tar");
            var table = await Comparison.RunAsync(
                stage, "to a file",
                new Contestant("ours, hashed", () => DiffAsync(engine, layer.Id, target)) { AfterAsync = () => DeleteAsync(target) },
                new Contestant("tar cf", () =>
                {
                    Shell.Run($"tar --numeric-owner -C '{engine.Root}/overlay/{layer.Id}/diff' -cf '{target}' .");
                    return Task.CompletedTask;
                }) { AfterAsync = () => DeleteAsync(target), Bar = 1.0 }).ConfigureAwait(false);
            await store.RemoveAsync(layer.Id).ConfigureAwait(false);
            return [table];
        }
    }

    private static Task<StoreProtocol.DiffWritten> DiffAsync(StorageEngine engine, LayerId layer, string target) =>
        engine.Client.Channel.AskAsync<StoreProtocol.DiffWritten>(new StoreProtocol.WriteDiff(layer, null, new BlobTarget(target)));

    private static Task DeleteAsync(string file)
    {
        File.Delete(file);
        return Task.CompletedTask;
    }

    /// <summary>The first files of the small-file tree, as a build would leave them.</summary>
    private static void Fill(string tar, string directory)
    {
        Directory.CreateDirectory(directory);
        Shell.Run($"tar -tf '{tar}' | grep -v '/$' > '{directory}.list'; head -n {Files} '{directory}.list' > '{directory}.names'; tar --numeric-owner -xpf '{tar}' -C '{directory}' --no-recursion -T '{directory}.names'; rm '{directory}.list' '{directory}.names'");
    }
}
