using StorageActors.Cli.Output;
using StorageActors.Cli.Running;
using StorageActors.Protocol;

namespace StorageActors.Cli.Verbs;

/// <summary>Says what is running here, and why so.</summary>
internal sealed class InfoVerb() : Verb("info", "Show versions, the driver and why it was chosen, probes and settings in force")
{
    internal override async Task<int> RunAsync(Invocation call)
    {
        var (info, where) = await Session.InspectAsync(call);
        var version = typeof(InfoVerb).Assembly.GetName().Version!.ToString(3);
        var result = new InfoResult(version, where, info.Root, info.StoreId, info.Driver, info.Facts);
        if (call.Output.Json) call.Output.Document(result);
        else Print(result, call.Output);
        return ExitCode.Done;
    }

    private static void Print(InfoResult info, Printer output)
    {
        var table = new Table(("GROUP", ColumnKind.Text), ("NAME", ColumnKind.Text), ("VALUE", ColumnKind.Text));
        table.Add("command", "version", info.Version);
        table.Add("command", "engine", info.Engine);
        table.Add("store", "root", info.Root);
        table.Add("store", "id", info.StoreId.Length > 0 ? info.StoreId : "none yet: the first command that needs a store makes it");
        table.Add("store", "driver", info.Driver);
        foreach (var fact in info.Facts) table.Add(fact.Group, fact.Name, fact.Value);
        output.Table(table);
    }
}
