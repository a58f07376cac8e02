using System.CommandLine;
using StorageActors.Cli.Output;
using StorageActors.Cli.Running;
using StorageActors.Engine;
using StorageActors.Node.Hosting;
using StorageActors.Protocol;

namespace StorageActors.Cli.Verbs;

/// <summary>Makes the journal again from the directories.</summary>
internal sealed class RebuildVerb : Verb
{
    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Only say what the journal would have" };

    internal RebuildVerb()
        : base("rebuild", "Make the journal again from the directories of layers and images; nothing may be mounted, no node may run") => Add(_dryRun);

    internal override async Task<int> RunAsync(Invocation call)
    {
        var choice = call.Store;
        var config = new NodeSettings(choice.Root, choice.Socket, choice.Driver, choice.LogLevel, choice.Config).ToConfig(GlobalOptions.DefaultRoot());
        var dryRun = call.Get(_dryRun);
        var report = await StorageEngine.RebuildAsync(config, dryRun, call.Stop);
        if (call.Output.Json)
        {
            call.Output.Document(report);
        }
        else
        {
            FindingsTable.Print(report.Findings, call.Output);
            call.Output.Note($"the journal {(dryRun ? "would have" : "has")} {Human.Count(report.Layers.Count, "layer")} and {Human.Count(report.Images.Count, "image")}");
            if (report.Replaced is { } replaced) call.Output.Note($"the old one is kept: {replaced}");
        }

        return report.Findings.All(static finding => finding.Repaired) ? ExitCode.Done : ExitCode.Damaged;
    }
}
