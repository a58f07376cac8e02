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
        var sizes = layers.ToDictionary(static layer => layer.Id, static layer => layer.Size);
        var shared = images.Any(static image => image.AdditionalStore is not null);
        var table = new Table(
        [
            ("IMAGE", ColumnKind.Text), ("NAMES", ColumnKind.Elastic), ("LAYERS", ColumnKind.Number), ("SIZE", ColumnKind.Number),
            ("CREATED", ColumnKind.Text), .. Human.StoreColumn(shared),
        ]);
        foreach (var image in images)
        {
            // What it takes unpacked: documents and layers; one whose size is not known makes the sum unknown.
            var size = image.Layers.Aggregate<LayerId, long?>(image.BigData.Sum(static item => item.Size), (sum, layer) => sum + sizes.GetValueOrDefault(layer));
            table.Add(
            [
                Human.Short(image.Id.Value), Human.Names(image.Names), $"{image.Layers.Count}", size is null ? "unknown" : Human.Size(size), Human.Age(image.Created, now),
                .. Human.StoreCell(shared, image.AdditionalStore),
            ]);
        }

        return table;
    }
}
