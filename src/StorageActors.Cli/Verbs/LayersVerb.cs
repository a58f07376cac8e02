using System.CommandLine;
using StorageActors.Cli.Output;
using StorageActors.Cli.Running;
using StorageActors.Protocol;

namespace StorageActors.Cli.Verbs;

/// <summary>Lists the layers.</summary>
internal sealed class LayersVerb : Verb
{
    private readonly Option<bool> _tree = new("--tree") { Description = "Show what stands on what" };

    internal LayersVerb()
        : base("layers", "List the layers") => Add(_tree);

    internal override async Task<int> RunAsync(Invocation call)
    {
        await using var session = await call.OpenToReadAsync();
        var layers = await session.Client.ListLayersAsync(call.Stop);
        var output = call.Output;
        if (output.Json) output.Document(layers);
        else if (call.Get(_tree)) LayerTree.Write(layers, output.Quiet ? static layer => layer.Id.Value : LayerTree.Describe, output.Line);
        else if (output.Quiet) foreach (var layer in layers) output.Line(layer.Id.Value);
        else output.Table(Describe(layers));
        return ExitCode.Done;
    }

    private static Table Describe(IReadOnlyList<LayerRecord> layers)
    {
        var now = TimeProvider.System.GetUtcNow();
        // Where a layer lies is worth a column only if some lie elsewhere.
        var shared = layers.Any(static layer => layer.AdditionalStore is not null);
        var table = new Table(
        [
            ("LAYER", ColumnKind.Text), ("NAMES", ColumnKind.Elastic), ("PARENT", ColumnKind.Text), ("KIND", ColumnKind.Text),
            ("SIZE", ColumnKind.Number), ("CREATED", ColumnKind.Text), .. Human.StoreColumn(shared),
        ]);
        foreach (var layer in layers)
        {
            var kind = layer.Damage is null ? layer.Kind.ToString().ToLowerInvariant() : "damaged";
            table.Add(
            [
                Human.Short(layer.Id.Value), Human.Names(layer.Names), layer.Parent is { } parent ? Human.Short(parent.Value) : "-", kind,
                Human.Size(layer.Size), Human.Age(layer.Created, now), .. Human.StoreCell(shared, layer.AdditionalStore),
            ]);
        }

        return table;
    }
}
