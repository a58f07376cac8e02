using StorageActors.Cli.Output;
using StorageActors.Cli.Running;
using StorageActors.Protocol;

namespace StorageActors.Cli.Verbs;

/// <summary>Shows what the engine has counted since it started.</summary>
internal sealed class StatsVerb() : Verb("stats", "Show counters and how long locks were waited for and held, since the node started")
{
    private const string Metrics = "metrics";

    internal override async Task<int> RunAsync(Invocation call)
    {
        await using var session = await call.OpenAsync();
        var info = await session.Client.Channel.AskAsync<StoreProtocol.Info>(new StoreProtocol.GetInfo(), call.Stop);
        var facts = info.Facts.Where(Shows).ToArray();
        if (call.Output.Json)
        {
            call.Output.Document<IReadOnlyList<StoreFact>>(facts);
            return ExitCode.Done;
        }

        var table = new Table(("NAME", ColumnKind.Text), ("VALUE", ColumnKind.Text));
        foreach (var fact in facts) table.Add(fact.Name, fact.Value);
        call.Output.Table(table);
        return ExitCode.Done;
    }

    /// <summary>What <c>info</c> leaves to this verb.</summary>
    internal static bool Shows(StoreFact fact) => fact.Group == Metrics;
}
