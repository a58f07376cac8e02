using System.CommandLine;
using StorageActors.Cli.Output;
using StorageActors.Cli.Progress;
using StorageActors.Cli.Running;
using StorageActors.Client;
using StorageActors.Protocol;

namespace StorageActors.Cli.Verbs;

/// <summary>Removes layers and images.</summary>
internal sealed class RmVerb : Verb
{
    private readonly Argument<string[]> _ids = new("ID") { Description = "Layers and images", Arity = ArgumentArity.OneOrMore };
    private readonly Option<bool> _force = new("--force", "-f") { Description = "End their leases first" };

    internal RmVerb()
        : base("rm", "Remove layers or images; an image goes with the layers that nothing else needs")
    {
        Add(_ids);
        Add(_force);
    }

    internal override async Task<int> RunAsync(Invocation call)
    {
        await using var session = await call.OpenAsync();
        var (removed, exit) = (new List<string>(), ExitCode.Done);
        var targets = new List<Target>();
        var references = call.Get(_ids).Distinct(StringComparer.Ordinal).ToArray();
        // One alone comes in no order.
        var depth = references.Length > 1 ? await DepthsAsync(session.Client, call.Stop) : [];
        foreach (var reference in references)
        {
            await TryAsync(async () => targets.Add(Target.Of(await session.Client.EitherAsync(reference, call.Stop), depth)));
        }

        // Images before layers, children before parents: what is asked for at once does not stand in its own way.
        foreach (var target in targets.DistinctBy(static target => target.Id).OrderByDescending(static target => target.Depth))
        {
            await TryAsync(async () =>
            {
                if (target.Layer is { } layer && removed.Contains(layer.Value)) return;   // It went with its image.
                foreach (var id in await target.RemoveAsync(session.Client, call.Get(_force), call.Stop))
                {
                    removed.Add(id);
                    if (!call.Output.Json) call.Output.Line(id);
                }
            });
        }

        if (call.Output.Json) call.Output.Document(new RemoveResult(removed));
        if (session.IsHost && removed.Count > 0)
        {
            // They are removed; without a node nobody but this process deletes their bytes.
            await using var board = ProgressBoard.Start(call);
            try { await session.Client.EmptyTrashAsync(board.Observer, call.Stop); }
            catch (Exception e) when (e is StorageException or OperationCanceledException)
            {
                call.Output.Note("not all of it is deleted yet; the next command goes on with it");
            }
        }

        return exit;

        async Task TryAsync(Func<Task> step)
        {
            try { await step(); }
            catch (StorageException e)
            {
                // One that cannot go does not keep the others; the first reason is the exit code.
                if (exit == ExitCode.Done) exit = ExitCode.Of(e.Error.Code);
                call.Output.Error(call.Verb, e.Error);
            }
        }
    }

    private static async Task<Dictionary<LayerId, int>> DepthsAsync(StorageClient client, CancellationToken stop)
    {
        var depths = new Dictionary<LayerId, int>();
        foreach (var layer in await client.ListLayersAsync(stop))
        {
            depths[layer.Id] = layer.Parent is { } parent ? depths.GetValueOrDefault(parent) + 1 : 0;
        }

        return depths;
    }

    private sealed record Target(string Id, LayerId? Layer, ImageId? Image, int Depth)
    {
        internal static Target Of(CatalogProtocol.Resolved found, Dictionary<LayerId, int> depth) => found.Layer is { } layer
            ? new(layer.Id.Value, layer.Id, null, depth.GetValueOrDefault(layer.Id))
            : new(found.Image!.Id.Value, null, found.Image.Id, int.MaxValue);

        internal async Task<IReadOnlyList<string>> RemoveAsync(StorageClient client, bool force, CancellationToken stop)
        {
            if (Image is { } image) return [image.Value, .. (await client.RemoveImageAsync(image, force, stop)).Select(static layer => layer.Value)];
            await client.RemoveAsync(Layer!.Value, force, stop);
            return [Id];
        }
    }
}
