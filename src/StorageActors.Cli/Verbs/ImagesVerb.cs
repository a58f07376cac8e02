using StorageActors.Cli.Output;
using StorageActors.Cli.Running;
using StorageActors.Protocol;

namespace StorageActors.Cli.Verbs;

/// <summary>Lists the images.</summary>
internal sealed class ImagesVerb() : Verb("images", "List the images")
{
    internal override async Task<int> RunAsync(Invocation call)
    {
        await using var session = await call.OpenToReadAsync();
        var images = await session.Client.ListImagesAsync(call.Stop);
        var output = call.Output;
        if (output.Json) output.Document(images);
        else if (output.Quiet) foreach (var image in images) output.Line(image.Id.Value);
        else output.Table(Describe(images, await session.Client.ListLayersAsync(call.Stop)));
        return ExitCode.Done;
    }

    private static Table Describe(IReadOnlyList<ImageRecord> images, IReadOnlyList<LayerRecord> layers)
    {
        var now = TimeProvider.System.GetUtcNow();
        var sizes = layers.ToDictionary(static layer => layer.Id, static layer => layer.Size ?? 0);
        var shared = images.Any(static image => image.AdditionalStore is not null);
        var table = new Table(
        [
            ("IMAGE", ColumnKind.Text), ("NAMES", ColumnKind.Elastic), ("LAYERS", ColumnKind.Number), ("SIZE", ColumnKind.Number),
            ("CREATED", ColumnKind.Text), .. Human.StoreColumn(shared),
        ]);
        foreach (var image in images)
        {
            var size = image.Layers.Sum(layer => sizes.GetValueOrDefault(layer));
            table.Add(
            [
                Human.Short(image.Id.Value), Human.Names(image.Names), $"{image.Layers.Count}", Human.Size(size), Human.Age(image.Created, now),
                .. Human.StoreCell(shared, image.AdditionalStore),
            ]);
        }

        return table;
    }
}
