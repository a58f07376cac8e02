using StorageActors.Benchmarks.Compare;
using StorageActors.Benchmarks.Inputs;
using StorageActors.Benchmarks.Peers;
using StorageActors.Protocol;

namespace StorageActors.Benchmarks.Jobs;

/// <summary>An applied layer of small files comes back as the tar that it was, byte for byte, and verified.</summary>
internal sealed class ReassemblyJob : IJob
{
    public string Name => "reassemble";

    public string Title => "exact re-assembly of the small-file layer";

    public async Task<IReadOnlyList<ResultTable>> RunAsync(Stage stage)
    {
        var root = stage.NewDirectory();
        var engine = await OwnStore.StartAsync(root).ConfigureAwait(false);
        await using (engine.ConfigureAwait(false))
        {
            var layer = await engine.Client.ApplyAsync(stage.Inputs.Small.Gzip).ConfigureAwait(false);
            var target = Path.Combine(root, "out.tar");
            var peer = new ContainersStorage(stage.NewDirectory());
            var theirs = StorageActors.TestSupport.Command.Find(ContainersStorage.Program) is null ? "" : peer.Import(stage.Inputs.Small.Gzip);
            Task DeleteAsync()
            {
                File.Delete(target);
                return Task.CompletedTask;
            }

            try
            {
                return [await CompareAsync().ConfigureAwait(false)];
            }
            finally
            {
                stage.Delete(peer.Home);   // its store has a mount of its own
            }

            Task<ResultTable> CompareAsync() => Comparison.RunAsync(stage, "to a file", stage.Present(
                (null, new Contestant("ours", () => engine.Client.Channel.AskAsync<StoreProtocol.DiffWritten>(
                    new StoreProtocol.WriteDiff(layer.Id, null, new BlobTarget(target)))) { AfterAsync = DeleteAsync }),
                (ContainersStorage.Program, new Contestant("containers-storage diff", () =>
                {
                    Shell.Run(peer.CommandLine($"diff -u -f '{target}' {theirs}"));
                    return Task.CompletedTask;
                }) { AfterAsync = DeleteAsync, Bar = 0.5 }),
                ("tar", new Contestant("tar cf (neither exact nor hashed)", () =>
                {
                    Shell.Run($"tar --numeric-owner -C '{engine.Root}/overlay/{layer.Id}/diff' -cf '{target}' .");
                    return Task.CompletedTask;
                }) { AfterAsync = DeleteAsync })));
        }
    }
}
