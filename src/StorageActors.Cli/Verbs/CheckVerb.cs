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
    private readonly Option<bool> _full = new("--full") { Description = "Compute every digest again, and try whether every layer can be mounted" };
    private readonly Option<bool> _repair = new("--repair") { Description = "Put right what can be, and mark layers whose content is lost" };
    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "With --repair: only say what would be done" };

    private readonly Option<TimeSpan?> _age = Values.Term("--older-than", "How old a layer that nothing needs has to be to be named (24h): a number with s, m, h or d");

    internal CheckVerb()
        : base("check", "Look for damage and leftovers; exit code 6 if any stands")
    {
        Add(_full);
        Add(_repair);
        Add(_dryRun);
        Add(_age);
    }

    internal override async Task<int> RunAsync(Invocation call)
    {
        if (call.Get(_dryRun) && !call.Get(_repair)) call.Output.Note("--dry-run says nothing without --repair: a check alone changes nothing");
        await using var session = await call.OpenExistingAsync();
        var clock = Stopwatch.StartNew();
        IReadOnlyList<Finding> findings;
        await using (var board = ProgressBoard.Start(call))
        {
            findings = await session.Client.CheckAsync(call.Get(_full), call.Get(_repair), call.Get(_dryRun), board.Observer, call.Get(_age), call.Stop);
        }

        if (call.Output.Json) call.Output.Document(findings);
        else FindingsTable.Print(findings, call.Output);
        var (notes, repaired) = (findings.Count(static finding => finding.Note), findings.Count(static finding => finding.Repaired));
        var found = findings.Count == notes ? "nothing was found" : $"{Human.Count(findings.Count - notes, "finding")}, {repaired} repaired";
        call.Output.Note($"{found}{(notes > 0 ? $", {Human.Count(notes, "note")}" : "")} ({Human.Seconds(clock.Elapsed)})");
        return findings.All(static finding => finding.Repaired || finding.Note) ? ExitCode.Done : ExitCode.Damaged;
    }
}
