using System.CommandLine;
using StorageActors.Cli.Output;
using StorageActors.Cli.Running;
using StorageActors.Protocol;

namespace StorageActors.Cli.Verbs;

/// <summary>Lists what a layer changes.</summary>
internal sealed class ChangesVerb : Verb
{
    private readonly Argument<string> _layer = new("LAYER") { Description = "The layer" };
    private readonly Option<string?> _from = new("--from") { Description = "What to compare with (default: its parent)", HelpName = "LAYER" };

    internal ChangesVerb()
        : base("changes", "List the paths that a layer adds (A), changes (C) and deletes (D)")
    {
        Add(_layer);
        Add(_from);
    }

    internal override async Task<int> RunAsync(Invocation call)
    {
        await using var session = await call.OpenExistingAsync();
        var layer = (await session.Client.LayerAsync(call.Get(_layer), call.Stop)).Id;
        var from = await session.Client.LayerOrNoneAsync(call.Get(_from), call.Stop);
        var changes = await session.Client.ChangesAsync(layer, from, call.Stop);
        if (call.Output.Json) call.Output.Document(changes);
        else foreach (var change in changes) call.Output.Line($"{Letter(change.Kind)} {change.Path}");
        return ExitCode.Done;
    }

    private static char Letter(ChangeKind kind) => kind switch
    {
        ChangeKind.Added => 'A',
        ChangeKind.Deleted => 'D',
        _ => 'C',
    };
}
