using StorageActors.Benchmarks.Compare;
using StorageActors.Benchmarks.Inputs;
using StorageActors.Benchmarks.Peers;
using StorageActors.Client;
using StorageActors.Images;
using StorageActors.TestSupport;

namespace StorageActors.Benchmarks.Jobs;

/// <summary>An image of three layers comes into a fresh store.</summary>
internal sealed class ImportJob : IJob
{
    public string Name => "import";

    public string Title => "import an image of the three layers, gzip";

    public async Task<IReadOnlyList<ResultTable>> RunAsync(Stage stage)
    {
        var image = stage.Inputs.Image;
        return
        [
            await Comparison.RunAsync(stage, "three layers", stage.Present(
                (null, new StoreRun(stage, durable: false).Contestant("ours, unsynced", store => ImportAsync(store, image))),
                (null, new StoreRun(stage, durable: true).Contestant("ours, durable", store => ImportAsync(store, image)) with { IsVariant = true, Bar = 1.6 }),
                ("skopeo", Skopeo(stage, image) with { Bar = 0.30 }),
                ("containerd", Containerd(stage, image) with { Bar = 0.45 }),
                ("dockerd", Docker(stage, image) with { Bar = 0.45 }))).ConfigureAwait(false),
        ];
    }

    private static Task ImportAsync(StorageClient store, ImageInput image) =>
        ImageImporter.ImportAsync(store, new ImageLocation(ImageFormat.OciLayout, image.Layout, "latest"), new ImportOptions { Names = ["bench"] });

    private static Contestant Skopeo(Stage stage, ImageInput image) => PeerRun.Contestant(stage, "skopeo copy oci: containers-storage:", home =>
    {
        var store = new ContainersStorage(home);
        Command.Run("skopeo", "--insecure-policy", "copy", "-q", $"oci:{image.Layout}:latest", $"containers-storage:[overlay@{store.Graph}+{store.State}]localhost/bench:latest");
    });

    private static Contestant Containerd(Stage stage, ImageInput image) => WithDaemon(
        stage, "ctr image import, unpacked", static home => Daemon.StartContainerdAsync(home),
        daemon => Command.Run("ctr", "-a", daemon.Socket, "images", "import", "--index-name", "bench", image.OciArchive));

    private static Contestant Docker(Stage stage, ImageInput image) => WithDaemon(
        stage, "docker load", static home => Daemon.StartDockerAsync(home),
        daemon => Command.Run("docker", "-H", "unix://" + daemon.Socket, "load", "-q", "-i", image.DockerArchive));

    private static Contestant WithDaemon(Stage stage, string name, Func<string, Task<Daemon>> start, Action<Daemon> work)
    {
        Daemon? daemon = null;
        var home = "";
        return new Contestant(name, () =>
        {
            work(daemon!);
            return Task.CompletedTask;
        })
        {
            BeforeAsync = async () => daemon = await start(home = stage.NewDirectory()).ConfigureAwait(false),
            AfterAsync = () =>
            {
                daemon!.Dispose();
                stage.Delete(home);
                return Task.CompletedTask;
            },
            Daemons = () => daemon is null ? [] : [daemon.Pid],
        };
    }
}
