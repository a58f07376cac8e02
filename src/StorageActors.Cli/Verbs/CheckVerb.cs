using System.CommandLine;
using System.Diagnostics;
using StorageActors.Cli.Output;
using StorageActors.Cli.Progress;
using StorageActors.Cli.Running;
using StorageActors.Protocol;

namespace StorageActors.Cli.Verbs;

/// <summary>Looks for damage and leftovers.</summary>
internal sealed class CheckVerb : Verb
{
    private readonly Option<bool> _full = new("--full") { Description = "Compute every digest again" };
    private readonly Option<bool> _repair = new("--repair") { Description = "Put right what can be, and mark layers whose content is lost" };
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
        if (call.Get(_dryRun) && !call.Get(_repair)) call.Output.Note("--dry-run says nothing without --repair: a check alone changes nothing");
        await using var session = await call.OpenAsync();
        var clock = Stopwatch.StartNew();
        IReadOnlyList<Finding> findings;
        await using (var board = ProgressBoard.Start(call))
        {
            findings = await session.Client.CheckAsync(call.Get(_full), call.Get(_repair), call.Get(_dryRun), board.Observer, call.Stop);
        }

        if (call.Output.Json) call.Output.Document(findings);
        else FindingsTable.Print(findings, call.Output);
        var repaired = findings.Count(static finding => finding.Repaired);
        call.Output.Note(findings.Count == 0 ? $"nothing was found ({Human.Seconds(clock.Elapsed)})"
            : $"{Human.Count(findings.Count, "finding")}, {repaired} repaired ({Human.Seconds(clock.Elapsed)})");
        return findings.All(static finding => finding.Repaired) ? ExitCode.Done : ExitCode.Damaged;
    }
}
