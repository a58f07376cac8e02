using System.CommandLine;
using StorageActors.Cli.Output;
using StorageActors.Cli.Running;
using StorageActors.Protocol;

namespace StorageActors.Cli.Verbs;

/// <summary>Looks for damage and leftovers.</summary>
internal sealed class CheckVerb : Verb
{
    private readonly Option<bool> _full = new("--full") { Description = "Compute every digest again" };
    private readonly Option<bool> _repair = new("--repair") { Description = "Put right what can be" };
    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "With --repair: only say what would be done" };

    internal CheckVerb()
        : base("check", "Look for damage and leftovers; exit code 6 if any stands")
    {
        Add(_full);
        Add(_repair);
        Add(_dryRun);
    }

    internal override async Task<int> RunAsync(Invocation call)
    {
        await using var session = await call.OpenAsync();
        var command = new StoreProtocol.Check(call.Get(_full), call.Get(_repair), call.Get(_dryRun));
        var findings = (await session.Client.Channel.AskAsync<StoreProtocol.Checked>(command, call.Stop)).Findings;
        if (call.Output.Json) call.Output.Document(findings);
        else foreach (var finding in findings) call.Output.Line($"{finding.Kind} {finding.Subject}: {finding.Message}{(finding.Repaired ? " (repaired)" : "")}");
        if (findings.Count == 0) call.Output.Note("nothing was found");
        return findings.All(static finding => finding.Repaired) ? ExitCode.Done : ExitCode.Damaged;
    }
}
