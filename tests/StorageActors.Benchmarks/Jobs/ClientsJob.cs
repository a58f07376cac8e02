using System.Globalization;
using StorageActors.Benchmarks.Compare;
using StorageActors.Benchmarks.Inputs;
using StorageActors.Benchmarks.Peers;
using StorageActors.TestSupport;

namespace StorageActors.Benchmarks.Jobs;

/// <summary>
/// An image comes into containerd, and into Docker: with their own layers, and with those of a node of ours behind its door. Each run begins with nothing. What
/// it takes on disk is all that the client and the node keep, but for the compressed blobs, which a client keeps or not as it likes. The trees must be the same.
/// </summary>
internal sealed class ClientsJob(string word, Func<LayerInputs, ImageInput> choose) : IJob
{
    public string Name => $"clients-{word}";

    public string Title => $"containerd and Docker load an image ({word}, gzip), on their own layers and on ours";

    public async Task<IReadOnlyList<ResultTable>> RunAsync(Stage stage)
    {
        var image = choose(stage.Inputs);
        var tables = new List<ResultTable>();
        foreach (var kind in (ClientKind[])[ClientKind.Containerd, ClientKind.Docker])
        {
            if (Command.Find(kind.Daemon) is null) stage.Note($"{kind.Daemon} is left out: it is not installed.");
            else tables.AddRange(await CompareAsync(stage, kind, image).ConfigureAwait(false));
        }

        stage.Note("containerd before 1.7.4 extracts layers itself, in both cases: what differs there is what happens before and after. Docker leaves extraction to ours.");
        return tables;
    }

    private static async Task<IReadOnlyList<ResultTable>> CompareAsync(Stage stage, ClientKind kind, ImageInput image)
    {
        Backing[] backings = [Backing.OursUnsynced, Backing.OursDurable, Backing.Own];
        var sizes = new Dictionary<Backing, (long Bytes, long Inodes)>();
        var trees = new Dictionary<Backing, IReadOnlyList<string>>();
        var table = await Comparison.RunAsync(stage, kind.Work, [.. backings.Select(backing => Contestant(backing) with { IsVariant = backing == Backing.OursDurable })]).ConfigureAwait(false);
        if (trees.Values.Where(static tree => tree.Count > 0).Select(static tree => string.Join('\n', tree)).Distinct(StringComparer.Ordinal).Count() > 1)
            throw new InvalidOperationException($"{kind.Daemon}: the trees differ; the first line that does: {FirstDifference(trees)}");
        stage.Note(trees.Values.First() is { Count: > 0 } tree ? $"{kind.Daemon}: the trees are equal, attribute by attribute: {tree.Count} names." : $"{kind.Daemon}: trees are compared by its end-to-end tests.");
        return [table, Tabulate(kind, [.. backings.Where(sizes.ContainsKey)], sizes)];

        Contestant Contestant(Backing backing)
        {
            LoadedClient? client = null;
            return new Contestant(kind.NameOf(backing), () =>
            {
                client!.Load(image);
                return Task.CompletedTask;
            })
            {
                BeforeAsync = async () => client = await LoadedClient.StartAsync(kind, backing, stage.NewDirectory()).ConfigureAwait(false),
                AfterAsync = () =>
                {
                    stage.Settle();
                    if (!sizes.ContainsKey(backing)) (sizes[backing], trees[backing]) = (client!.Measure(), client.ReadTree());
                    client!.Dispose();
                    stage.Delete(client.Home);
                    return Task.CompletedTask;
                },
                Daemons = () => client?.Processes ?? [],
            };
        }
    }

    private static ResultTable Tabulate(ClientKind kind, IReadOnlyList<Backing> backings, Dictionary<Backing, (long Bytes, long Inodes)> sizes)
    {
        var first = sizes[backings[0]];
        return new ResultTable(
            $"{kind.Daemon}: on disk afterwards, without compressed blobs", ["", "MB", "inodes", "ratio of MB", "of inodes"],
            [.. backings.Select((backing, index) => (IReadOnlyList<string>)
            [
                kind.NameOf(backing), Text(sizes[backing].Bytes / 1e6, "F1"), Text(sizes[backing].Inodes, "F0"),
                index == 0 ? "" : Text((double)first.Bytes / sizes[backing].Bytes, "F3"), index == 0 ? "" : Text((double)first.Inodes / sizes[backing].Inodes, "F3"),
            ])]);
    }

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    private static string FirstDifference(Dictionary<Backing, IReadOnlyList<string>> trees)
    {
        var (ours, theirs) = (trees[Backing.OursUnsynced], trees[Backing.Own]);
        return ours.Except(theirs, StringComparer.Ordinal).Concat(theirs.Except(ours, StringComparer.Ordinal)).FirstOrDefault() ?? "their order";
    }
}
