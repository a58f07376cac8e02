using System.Formats.Tar;
using System.Globalization;
using StorageActors.Benchmarks.Compare;
using StorageActors.Benchmarks.Peers;
using StorageActors.Client;
using StorageActors.Protocol;
using StorageActors.TestSupport;

namespace StorageActors.Benchmarks.Jobs;

/// <summary>A question from the shell: the whole process, on a store of ten images of three layers.</summary>
internal sealed class StartJob : IJob
{
    private const int Images = 10;
    private const int LayersOfImage = 3;

    public string Name => "start";

    public string Title => "the command layers on a store of 10 images, whole process";

    public async Task<IReadOnlyList<ResultTable>> RunAsync(Stage stage)
    {
        var root = stage.NewDirectory();
        var peer = new ContainersStorage(stage.NewDirectory());
        var tar = Path.Combine(peer.Home, "layer.tar");
        Directory.CreateDirectory(Path.Combine(peer.Home, "content"));
        await File.WriteAllTextAsync(Path.Combine(peer.Home, "content", "file"), "content").ConfigureAwait(false);
        await TarFile.CreateFromDirectoryAsync(Path.Combine(peer.Home, "content"), tar, includeBaseDirectory: false).ConfigureAwait(false);
        await FillAsync(root, tar).ConfigureAwait(false);
        var isThere = Command.Find(ContainersStorage.Program) is not null;
        if (isThere) Fill(peer, tar);

        try
        {
            return
            [
                await Comparison.RunAsync(stage, "layers (bar: 150 ms, or 3 of containers-storage, whichever is less strict)", stage.Present(
                    (null, Process("storage-actors layers", () => Command.Run(OwnCommand.Path, "--root", root, "layers"))),
                    (null, Process("storage-actors images", () => Command.Run(OwnCommand.Path, "--root", root, "images")) with { IsVariant = true }),
                    (null, Process("storage-actors ps", () => Command.Run(OwnCommand.Path, "--root", root, "ps")) with { IsVariant = true }),
                    (null, Process("storage-actors info", () => Command.Run(OwnCommand.Path, "--root", root, "info")) with { IsVariant = true }),
                    (ContainersStorage.Program, Process("containers-storage layers", () => peer.Run("layers"))))).ConfigureAwait(false),
            ];
        }
        finally
        {
            stage.Delete(root);
            stage.Delete(peer.Home);
        }
    }

    private static Contestant Process(string name, Action run) => new(name, () =>
    {
        for (var i = 0; i < 5; i++) run();
        return Task.CompletedTask;
    }) { Operations = 5 };

    private static async Task FillAsync(string root, string tar)
    {
        var engine = await OwnStore.StartAsync(root).ConfigureAwait(false);
        await using (engine.ConfigureAwait(false))
        {
            for (var image = 0; image < Images; image++)
            {
                var layers = new List<LayerId>();
                for (var i = 0; i < LayersOfImage; i++)
                    layers.Add((await engine.Client.ApplyAsync(tar, layers.Count == 0 ? null : layers[^1]).ConfigureAwait(false)).Id);
                var config = System.Text.Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $$"""{"os":"linux","image":{{image}}}"""));
                await engine.Client.PutImageAsync(new CatalogProtocol.PutImage(
                    ImageId.Of(Digest.Of(config)), [string.Create(CultureInfo.InvariantCulture, $"image{image}:latest")], layers, null, [new BigData("config", config)])).ConfigureAwait(false);
            }
        }
    }

    private static void Fill(ContainersStorage peer, string tar)
    {
        for (var image = 0; image < Images; image++)
        {
            var layer = "";
            for (var i = 0; i < LayersOfImage; i++)
                layer = peer.Run(["import-layer", "-f", tar, .. layer.Length == 0 ? [] : (string[])[layer]]).Split('\n', StringSplitOptions.RemoveEmptyEntries)[0].Trim();
            peer.Run("create-image", "-n", string.Create(CultureInfo.InvariantCulture, $"localhost/image{image}:latest"), layer);
        }
    }
}
