using System.CommandLine;
using System.Text;
using StorageActors.Cli.Demo;
using StorageActors.Cli.Progress;
using StorageActors.Cli.Running;
using StorageActors.Client;
using StorageActors.Engine;
using StorageActors.Images;
using StorageActors.Linux;
using StorageActors.Node.Hosting;
using StorageActors.Protocol;

namespace StorageActors.Cli.Verbs;

/// <summary>Shows the whole main job on a real image, in a temporary root of its own.</summary>
internal sealed class DemoVerb : Verb
{
    private readonly Option<bool> _keep = new("--keep") { Description = "Keep the temporary root, with the image, its export and the emptied store" };

    internal DemoVerb()
        : base("demo", "Show the whole main job on a real image, in a temporary root, with timings") => Add(_keep);

    internal override async Task<int> RunAsync(Invocation call)
    {
        if (Libc.GetEuid() != 0 && call.Store.Driver != "vfs")
        {
            throw new StorageException(new StorageError(
                StorageErrorCode.Unsupported, "mount", "mounting layers needs root. Run it as root, or show the driver that copies with --driver vfs", Errno: "EPERM"));
        }

        var directory = Directory.CreateTempSubdirectory("storage-actors-demo-").FullName;
        try
        {
            var report = await RunAsync(call, directory);
            if (call.Output.Json) call.Output.Document(report);
            return ExitCode.Done;
        }
        finally
        {
            if (call.Get(_keep)) call.Output.Note($"kept: {directory}");
            else Delete(directory);
        }
    }

    /// <summary>Names in layers are bytes, and there are many of them.</summary>
    private static void Delete(string directory)
    {
        using var parent = Libc.OpenDirectory(Path.GetDirectoryName(directory)!);
        DirectoryTree.Remove(parent, Encoding.UTF8.GetBytes(Path.GetFileName(directory)));
    }

    private static async Task<DemoReport> RunAsync(Invocation call, string directory)
    {
        // With --json the story goes to stderr, and stdout has the report alone.
        Action<string> tell = call.Output.Json ? call.Output.Note : line =>
        {
            call.Output.Line(line);
            call.Output.Flush();
        };
        var settings = new NodeSettings(Path.Combine(directory, "store"), null, call.Store.Driver, call.Store.LogLevel, call.Store.Config);
        await using var engine = await StorageEngine.StartAsync(settings.ToConfig(directory), socket: null, call.Stop);
        await using var client = new StorageClient(engine.OpenChannel());
        var demo = new DemoRun(client, directory, work => ShowAsync(call, work), tell);
        var report = await demo.RunAsync(call.Stop);
        if (!call.Output.Json)
        {
            tell("");
            call.Output.Table(demo.Timings.ToTable());
            tell("");
            tell("The exported manifest and every layer are byte for byte what was imported, and nothing is left in the store.");
        }

        return report;
    }

    private static async Task ShowAsync(Invocation call, Func<IProgress<ImportProgress>, Task> work)
    {
        await using var board = ProgressBoard.Start(call);
        await work(new LabelledProgress(board));
    }
}
