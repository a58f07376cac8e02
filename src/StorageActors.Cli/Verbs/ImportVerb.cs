using System.CommandLine;
using StorageActors.Cli.Output;
using StorageActors.Cli.Progress;
using StorageActors.Cli.Running;
using StorageActors.Images;
using StorageActors.Protocol;

namespace StorageActors.Cli.Verbs;

/// <summary>Brings an image into the store.</summary>
internal sealed class ImportVerb : Verb
{
    private readonly Argument<string> _source = new("SOURCE")
    {
        Description = "oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:TAG], or a path, recognised",
    };

    private readonly Option<string[]> _names = Many("--name", "NAME", "A name for it (default: those that it has there)");
    private readonly Option<Dictionary<string, string>> _labels = Values.Pairs("--label", "A label for it");
    private readonly Option<DateTimeOffset?> _created = Values.Time("--created", "When it was made (default: what its configuration says)");
    private readonly Option<string?> _platform = new("--platform") { Description = "Which image of an index (default: this machine's)", HelpName = "OS/ARCH" };
    private readonly Option<long?> _limitSize = Values.Bytes("--limit-size", "Refuse a layer that is larger than this, uncompressed");

    internal ImportVerb()
        : base("import", "Bring an image into the store, all its layers at the same time")
    {
        Add(_source);
        foreach (var option in new Option[] { _names, _labels, _created, _platform, _limitSize }) Add(option);
    }

    internal override async Task<int> RunAsync(Invocation call)
    {
        var source = ImageLocation.Parse(call.Get(_source), call.Stop);
        var options = new ImportOptions
        {
            Names = call.Get(_names)!,
            Labels = call.Get(_labels),
            Created = call.Get(_created),
            Platform = call.Get(_platform) is { } platform ? Platform.Parse(platform) : null,
            MaximumSize = call.Get(_limitSize),
        };
        await using var session = await call.OpenAsync();
        Images.ImportResult imported;
        await using (var board = ProgressBoard.Start(call))
        {
            imported = await ImageImporter.ImportAsync(session.Client, source, options, new LabelledProgress(board), call.Stop);
        }

        foreach (var warning in imported.Layers.Where(static layer => !layer.Reused).SelectMany(static layer => layer.Layer.Warnings ?? []))
        {
            call.Output.Warning(call.Verb, warning);
        }

        if (call.Output.Json) call.Output.Document(Describe(imported));
        else call.Output.Line(imported.Image.Id.Value);
        return ExitCode.Done;
    }

    private static Output.ImportResult Describe(Images.ImportResult imported) => new(
        imported.Image.Id, imported.Image.Names,
        [.. imported.Layers.Select(static applied => new ImportedLayer(
            applied.Layer.Id, applied.Layer.DiffId, applied.Layer.ChainId, applied.Layer.BlobDigest, applied.Layer.Size, applied.Reused))],
        Math.Round(imported.Seconds, 3), imported.Bytes);
}
