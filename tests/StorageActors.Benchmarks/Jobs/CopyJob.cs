using StorageActors.Benchmarks.Compare;
using StorageActors.Benchmarks.Inputs;
using StorageActors.Benchmarks.Peers;
using StorageActors.Client;
using StorageActors.Drivers.Copying;
using StorageActors.Engine;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.TestSupport;

namespace StorageActors.Benchmarks.Jobs;

/// <summary>
/// A tree is copied: by the copier alone against <c>cp</c>, and as a layer of the vfs driver against the peer that has one. <c>cp</c> with <c>--reflink=always</c> can do
/// it where blocks are shared alone.
/// </summary>
internal sealed class CopyJob(string word, Func<LayerInputs, LayerInput> choose) : IJob
{
    public string Name => $"copy-{word}";

    public string Title => $"copy a tree of {word} files, bare and as a layer";

    public async Task<IReadOnlyList<ResultTable>> RunAsync(Stage stage)
    {
        var input = choose(stage.Inputs);
        var source = stage.NewDirectory();
        Shell.Run($"tar --numeric-owner -xpf '{input.Tar}' -C '{source}'");
        var shares = stage.FileSystem != FileSystemKind.Ext4;
        try
        {
            List<Contestant> copiers =
            [
                PeerRun.Contestant(stage, "ours", target => Copy(source, target)),
                PeerRun.Contestant(stage, "cp -a", target => Command.Run("cp", "-a", source, target + "/copy")) with { Bar = shares ? null : 1.0 },
            ];
            if (shares) copiers.Add(PeerRun.Contestant(stage, "cp -a --reflink=always", target => Command.Run("cp", "-a", "--reflink=always", source, target + "/copy")) with { Bar = 1.0 });
            return
            [
                await Comparison.RunAsync(stage, $"the tree, {stage.FileSystem}", copiers).ConfigureAwait(false),
                await CompareLayersAsync(stage, input).ConfigureAwait(false),
            ];
        }
        finally
        {
            stage.Delete(source);
        }
    }

    private static async Task<ResultTable> CompareLayersAsync(Stage stage, LayerInput input)
    {
        var (root, home) = (stage.NewDirectory(), stage.NewDirectory());
        var engine = await OwnStore.StartAsync(root, driver: "vfs").ConfigureAwait(false);
        try
        {
            var parent = (await engine.Client.ApplyAsync(input.Tar).ConfigureAwait(false)).Id;
            var contestants = new List<(string?, Contestant)> { (null, Ours(engine, parent)) };
            var peer = new ContainersStorage(home, "vfs");
            if (Command.Find(ContainersStorage.Program) is not null)
            {
                contestants.Add((ContainersStorage.Program, Peer(peer, peer.Import(input.Tar))));
            }

            return await Comparison.RunAsync(stage, $"as a writable layer of the vfs driver, unsynced, {stage.FileSystem}", stage.Present(contestants)).ConfigureAwait(false);
        }
        finally
        {
            await engine.DisposeAsync().ConfigureAwait(false);
            stage.Delete(root);
            stage.Delete(home);
        }
    }

    private static void Copy(string source, string target)
    {
        using var from = Libc.OpenDirectory(source);
        using var to = Libc.OpenDirectory(target);
        TreeCopy.Copy(from, to);
    }

    private static Contestant Ours(StorageEngine engine, LayerId parent)
    {
        LayerId made = default;
        return new Contestant("ours", async () => made = (await engine.Client.CreateAsync(parent).ConfigureAwait(false)).Id)
        {
            AfterAsync = async () =>
            {
                await engine.Client.RemoveAsync(made).ConfigureAwait(false);
                while (Directory.EnumerateFileSystemEntries(Path.Combine(engine.Root, "trash")).Any()) await Task.Delay(10).ConfigureAwait(false);
            },
        };
    }

    private static Contestant Peer(ContainersStorage peer, string parent)
    {
        var made = "";
        return new Contestant("containers-storage create-layer", () =>
        {
            made = peer.Run("create-layer", parent).Split('\n', StringSplitOptions.RemoveEmptyEntries)[0].Trim();
            return Task.CompletedTask;
        })
        {
            AfterAsync = () =>
            {
                peer.Run("delete-layer", made);
                return Task.CompletedTask;
            },
            Bar = 0.5,
        };
    }
}
