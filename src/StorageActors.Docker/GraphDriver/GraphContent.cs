using Microsoft.AspNetCore.Http;
using StorageActors.Client;
using StorageActors.Docker.Wire;
using StorageActors.Protocol;

namespace StorageActors.Docker.GraphDriver;

/// <summary>What goes into layers and comes out of them.</summary>
internal sealed class GraphContent(GraphLayers layers, StorageClient store)
{
    /// <summary><c>Changes</c>.</summary>
    internal async Task<ChangesReply> ChangesAsync(LayerRequest request, CancellationToken stop)
    {
        var (layer, from, whole) = await CompareAsync(request, stop);
        var changes = await store.Channel.AskAsync<StoreProtocol.Changes>(new StoreProtocol.GetChanges(layer.Id, from, whole), stop);
        return new ChangesReply([.. changes.Items.Select(static change => new DriverChange(change.Path, KindOf(change.Kind)))]);
    }

    /// <summary><c>DiffSize</c>: the layer's own content; Docker compares a layer with its parent alone.</summary>
    internal async Task<SizeReply> SizeAsync(LayerRequest request, CancellationToken stop)
    {
        var layer = await layers.GetAsync(request.Id, stop);
        var usage = await store.Channel.AskAsync<StoreProtocol.Usage>(new StoreProtocol.GetUsage(layer.Id), stop);
        return new SizeReply(usage.Report.Layers[0].ContentBytes);
    }

    /// <summary><c>Diff</c>: the tar as the answer's body. A failure in the middle breaks the connection, for a body that ends is taken for a whole tar.</summary>
    internal async Task DiffAsync(HttpContext context)
    {
        var request = await GraphDriverDoor.ReadAsync(context, DockerJson.Default.LayerRequest);
        var (layer, from, whole) = await CompareAsync(request, context.RequestAborted);
        context.Response.ContentType = "application/x-tar";
        await store.WriteDiffAsync(layer.Id, context.Response.Body, from, whole: whole, stop: context.RequestAborted);
    }

    /// <summary>
    /// <c>ApplyDiff</c>: fills a layer that is empty still, and freezes it. A layer is marked before its first byte: the rest of a tar whose beginning went to a
    /// node that died is never taken for a whole one.
    /// </summary>
    internal async Task<SizeReply> ApplyAsync(HttpRequest request)
    {
        var stop = request.HttpContext.RequestAborted;
        var layer = await layers.GetAsync(request.Query["id"], stop);
        var parent = request.Query["parent"].ToString();
        if (parent != (layer.Parent?.Value ?? ""))
        {
            throw GraphLayers.Refusal(
                StorageErrorCode.InvalidArgument, "apply", $"layer {layer.Id} stands on {layer.Parent?.Value ?? "no layer"}, not on {(parent.Length == 0 ? "none" : parent)}");
        }

        await store.FillAsync(layer.Id, request.Body, stop: stop);
        await layers.FreezeAsync(layer);
        return await SizeAsync(new LayerRequest(layer.Id.Value), stop);
    }

    /// <summary>Docker names the parent, or another layer, or none: then it means the whole tree.</summary>
    private async Task<(LayerRecord Layer, LayerId? From, bool Whole)> CompareAsync(LayerRequest request, CancellationToken stop)
    {
        var layer = await layers.GetAsync(request.Id, stop);
        if (string.IsNullOrEmpty(request.Parent)) return (layer, null, Whole: layer.Parent is not null);
        var from = await layers.GetAsync(request.Parent, stop);
        return (layer, from.Id == layer.Parent ? null : from.Id, Whole: false);
    }

    private static int KindOf(ChangeKind kind) => kind switch { ChangeKind.Changed => 0, ChangeKind.Added => 1, _ => 2 };
}
