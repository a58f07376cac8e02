using System.CommandLine;
using StorageActors.Cli.Output;
using StorageActors.Cli.Progress;
using StorageActors.Cli.Running;
using StorageActors.Protocol;

namespace StorageActors.Cli.Verbs;

/// <summary>Removes what nothing needs.</summary>
internal sealed class GcVerb : Verb
{
    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Only say what would go" };

    private readonly Option<TimeSpan?> _age = Values.Term("--older-than", "Leave layers alone that were made less than this ago: a number with s, m, h or d");

    internal GcVerb()
        : base("gc", "Remove sealed layers without names that no image, child or lease needs")
    {
        Add(_dryRun);
        Add(_age);
    }

    internal override async Task<int> RunAsync(Invocation call)
    {
        await using var session = await call.OpenExistingAsync();
        var dryRun = call.Get(_dryRun);
        StoreProtocol.Collected collected;
        await using (var board = ProgressBoard.Start(call))
        {
            // Who collects wants the space: the bytes are waited for.
            collected = await session.Client.CollectGarbageAsync(dryRun, wait: true, board.Observer, call.Get(_age), call.Stop);
        }

        if (call.Output.Json)
        {
            call.Output.Document(new CollectResult(collected.Layers, collected.Bytes, dryRun));
            return ExitCode.Done;
        }

        foreach (var layer in collected.Layers) call.Output.Line(layer.Value);
        call.Output.Note($"{Human.Count(collected.Layers.Count, "layer")}, {Human.Size(collected.Bytes)}{(dryRun ? " would go" : "")}");
        return ExitCode.Done;
    }
}
