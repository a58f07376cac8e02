using System.CommandLine;
using System.Diagnostics;
using StorageActors.Cli.Output;
using StorageActors.Cli.Progress;
using StorageActors.Cli.Running;
using StorageActors.Protocol;

namespace StorageActors.Cli.Verbs;

/// <summary>Seals a writable layer.</summary>
internal sealed class CommitVerb : Verb
{
    private readonly Argument<string> _layer = new("LAYER") { Description = "A writable layer, not mounted for writing" };
    private readonly Option<string[]> _names = Many("--name", "NAME", "A name to add");
    private readonly Option<Dictionary<string, string>> _labels = Values.Pairs("--label", "A label to set; an empty value takes it away");

    internal CommitVerb()
        : base("commit", "Seal a writable layer: compute its tar's digests, take no more writes")
    {
        Add(_layer);
        Add(_names);
        Add(_labels);
    }

    internal override async Task<int> RunAsync(Invocation call)
    {
        await using var session = await call.OpenAsync();
        var clock = Stopwatch.StartNew();
        var layer = await session.Client.LayerAsync(call.Get(_layer), call.Stop);
        LayerRecord @sealed;
        await using (var board = ProgressBoard.Start(call))
        {
            @sealed = await session.Client.SealAsync(new StoreProtocol.Seal(layer.Id, call.Get(_names), call.Get(_labels)), board.Observer, call.Stop);
        }

        foreach (var warning in @sealed.Warnings ?? []) call.Output.Warning(call.Verb, warning);
        if (call.Output.Json) call.Output.Document(LayerResult.Of(@sealed, clock.Elapsed.TotalSeconds));
        else call.Output.Line(@sealed.Id.Value);
        return ExitCode.Done;
    }
}
