using StorageActors.Cli.Output;
using StorageActors.Cli.Running;
using StorageActors.Protocol;

namespace StorageActors.Cli.Verbs;

/// <summary>Says what the store takes on disk.</summary>
internal sealed class DfVerb() : Verb("df", "Show bytes and inodes on disk: shared, exclusive, reclaimable; kept blobs")
{
    internal override async Task<int> RunAsync(Invocation call)
    {
        await using var session = await call.OpenExistingAsync();
        var usage = Sum((await session.Client.Channel.AskAsync<StoreProtocol.Usage>(new StoreProtocol.GetUsage(), call.Stop)).Report);
        if (call.Output.Json) call.Output.Document(usage);
        else Print(usage, call.Output);
        return ExitCode.Done;
    }

    private static UsageResult Sum(UsageReport report) => new(
        report.Layers, ShareOf(report.Layers), ShareOf(report.Layers.Where(static layer => layer.Shared)),
        ShareOf(report.Layers.Where(static layer => !layer.Shared)), ShareOf(report.Layers.Where(static layer => layer.Reclaimable)),
        report.TrashBytes, report.FreeBytes, report.FreeInodes,
        report.Images ?? [], (report.Images ?? []).Sum(static image => image.RecordBytes), report.Blobs, report.BlobBytes);

    private static Share ShareOf(IEnumerable<LayerUsage> layers) =>
        layers.Aggregate(new Share(0, 0, 0), static (sum, layer) => new Share(sum.Layers + 1, sum.Bytes + layer.Bytes, sum.Inodes + layer.Inodes));

    private static void Print(UsageResult usage, Printer output)
    {
        if (!output.Quiet)
        {
            var layers = new Table(("LAYER", ColumnKind.Text), ("SIZE", ColumnKind.Number), ("DIFF", ColumnKind.Number), ("INODES", ColumnKind.Number), ("USE", ColumnKind.Text));
            foreach (var layer in usage.Layers)
            {
                var use = layer.Reclaimable ? "reclaimable" : layer.Shared ? "shared" : "exclusive";
                layers.Add(Human.Short(layer.Layer.Value), Human.Size(layer.Bytes), Unpacked(layer.DiffSize), $"{layer.Inodes}", use);
            }

            output.Table(layers);
            output.Line("");
            if (usage.Images.Count > 0)
            {
                var images = new Table(("IMAGE", ColumnKind.Text), ("UNPACKED", ColumnKind.Number), ("RECORD", ColumnKind.Number), ("BLOBS", ColumnKind.Number));
                foreach (var image in usage.Images) images.Add(Human.Short(image.Image.Value), Unpacked(image.Size), Human.Size(image.RecordBytes), Human.Size(image.BlobBytes));
                output.Table(images);
                output.Line("");
            }
        }

        var totals = new Table(("USE", ColumnKind.Text), ("LAYERS", ColumnKind.Number), ("SIZE", ColumnKind.Number), ("INODES", ColumnKind.Number));
        foreach (var (name, share) in new[] { ("shared", usage.Shared), ("exclusive", usage.Exclusive), ("reclaimable", usage.Reclaimable), ("total", usage.Total) })
        {
            totals.Add(name, $"{share.Layers}", Human.Size(share.Bytes), $"{share.Inodes}");
        }

        totals.Add("kept blobs", "-", Human.Size(usage.BlobBytes), $"{usage.Blobs}");
        totals.Add("image records", "-", Human.Size(usage.ImageBytes), "-");
        totals.Add("trash", "-", Human.Size(usage.TrashBytes), "-");
        totals.Add("free", "-", Human.Size(usage.FreeBytes), usage.FreeInodes == 0 ? "-" : $"{usage.FreeInodes}");
        output.Table(totals);
    }

    private static string Unpacked(long? size) => size is null ? "unknown" : Human.Size(size);
}
