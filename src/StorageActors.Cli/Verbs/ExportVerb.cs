using System.CommandLine;
using System.Diagnostics;
using StorageActors.Cli.Output;
using StorageActors.Cli.Progress;
using StorageActors.Cli.Running;
using StorageActors.Images;

namespace StorageActors.Cli.Verbs;

/// <summary>Writes an image to where other tools read it.</summary>
internal sealed class ExportVerb : Verb
{
    private readonly Argument<string> _image = new("IMAGE") { Description = "The image" };
    private readonly Argument<string> _destination = new("DEST") { Description = "oci:DIR[:TAG], oci-archive:FILE[:TAG] or docker-archive:FILE[:TAG]" };

    internal ExportVerb()
        : base("export", "Write an image as an OCI layout or an archive, with the digests that it came with")
    {
        Add(_image);
        Add(_destination);
    }

    internal override async Task<int> RunAsync(Invocation call)
    {
        var destination = ImageLocation.ParseDestination(call.Get(_destination), call.Stop);
        await using var session = await call.OpenExistingAsync();
        var clock = Stopwatch.StartNew();
        var image = await session.Client.ImageAsync(call.Get(_image), call.Stop);
        Images.ExportResult exported;
        await using (var board = ProgressBoard.Start(call))
        {
            var progress = board.Observer is null ? null : new LabelledProgress(board);
            exported = await ImageExporter.ExportAsync(session.Client, image, destination, call.Stop, progress);
        }

        if (!exported.SameDigests) call.Output.Warning(call.Verb, "the manifest is another than the one it came with: its compressed layers were not kept");
        if (call.Output.Json) call.Output.Document(new Output.ExportResult(exported.Manifest, destination.ToString(), exported.SameDigests, Math.Round(clock.Elapsed.TotalSeconds, 3)));
        else call.Output.Line(exported.Manifest.Value);
        return ExitCode.Done;
    }
}
