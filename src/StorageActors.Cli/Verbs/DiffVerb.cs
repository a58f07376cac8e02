using System.CommandLine;
using StorageActors.Cli.Output;
using StorageActors.Cli.Progress;
using StorageActors.Cli.Running;
using StorageActors.Protocol;

namespace StorageActors.Cli.Verbs;

/// <summary>Gives a layer's tar.</summary>
internal sealed class DiffVerb : Verb
{
    private readonly Argument<string> _layer = new("LAYER") { Description = "The layer" };
    private readonly Option<string?> _from = new("--from") { Description = "What to compare with (default: its parent)", HelpName = "LAYER" };
    private readonly Option<string?> _file = new("--output", "-o") { Description = "Where the tar goes (default: stdout); appears when it is complete", HelpName = "FILE" };
    private readonly Option<bool> _gzip = new("--gzip") { Description = "Compress with gzip" };
    private readonly Option<bool> _zstd = new("--zstd") { Description = "Compress with zstd" };

    internal DiffVerb()
        : base("diff", "Write the tar of a layer, byte for byte what was applied")
    {
        Add(_layer);
        foreach (var option in new Option[] { _from, _file, _gzip, _zstd }) Add(option);
        Validators.Add(result =>
        {
            if (result.GetValue(_gzip) && result.GetValue(_zstd)) result.AddError("--gzip and --zstd exclude each other");
        });
    }

    internal override async Task<int> RunAsync(Invocation call)
    {
        var file = call.Get(_file);
        if (file is null or "-" && call.Output.ToTerminal) throw new FormatException("a terminal cannot show a tar: redirect stdout, or name a file with -o");
        await using var session = await call.OpenExistingAsync();
        var layer = (await session.Client.LayerAsync(call.Get(_layer), call.Stop)).Id;
        var from = await session.Client.LayerOrNoneAsync(call.Get(_from), call.Stop);
        var compression = call.Get(_gzip) ? LayerCompression.Gzip : call.Get(_zstd) ? LayerCompression.Zstd : LayerCompression.None;
        if (file is null or "-")
        {
            await using var stdout = new StandardOutput();
            await using var shown = ProgressBoard.Start(call);
            await session.Client.WriteDiffAsync(layer, stdout, from, compression, stop: call.Stop, progress: shown.Observer);
            return ExitCode.Done;
        }

        var command = new StoreProtocol.WriteDiff(layer, from, new BlobTarget(Path.GetFullPath(file)), compression);
        StoreProtocol.DiffWritten written;
        await using (var board = ProgressBoard.Start(call)) written = await session.Client.WriteDiffAsync(command, board.Observer, call.Stop);
        if (call.Output.Json) call.Output.Document(written);
        else if (!call.Output.Quiet) call.Output.Line(written.DiffId.Value);
        return ExitCode.Done;
    }
}
