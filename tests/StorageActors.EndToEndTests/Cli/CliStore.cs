using StorageActors.Catalog;
using StorageActors.Drivers;
using StorageActors.Layers;
using StorageActors.Reading;
using StorageActors.TestSupport;

namespace StorageActors.EndToEndTests.Cli;

/// <summary>A store of a test's own, used through the command alone; gone with the test, which fails if it leaves a mount.</summary>
internal sealed class CliStore : IAsyncDisposable
{
    private readonly TempDirectory _directory = new();
    private CliProcess? _node;

    internal string Root => _directory["store"];

    internal IReadOnlyDictionary<string, string> Environment => new Dictionary<string, string>(StringComparer.Ordinal) { ["STORAGE_ACTORS_ROOT"] = Root };

    /// <summary>A path beside the store.</summary>
    internal string this[string name] => _directory[name];

    /// <summary>Runs a verb to its end.</summary>
    internal Task<CliResult> RunAsync(params IEnumerable<string> arguments) => CliProcess.RunAsync(Environment, null, arguments);

    /// <summary>The same with something on stdin.</summary>
    internal Task<CliResult> FeedAsync(byte[] input, params IEnumerable<string> arguments) => CliProcess.RunAsync(Environment, input, arguments);

    /// <summary>Starts a verb and leaves it running.</summary>
    internal CliProcess Start(params IEnumerable<string> arguments) => CliProcess.Start(Environment, arguments);

    /// <summary>Starts a node for this store and waits for its ready line, which it returns.</summary>
    internal async Task<string> StartNodeAsync(params string[] options)
    {
        _node = Start(["node", .. options]);
        return await _node.Error.ReadLineAsync() ?? "";
    }

    /// <summary>The node that <see cref="StartNodeAsync"/> started.</summary>
    internal CliProcess Node => _node!;

    /// <summary>
    /// A lease is answered before the journal has it; until it has, a violent end would take the lease with it. Waits until the journal has all leases that a
    /// running node shows.
    /// </summary>
    internal async Task JournaledAsync()
    {
        var shown = (await RunAsync("ps", "--json")).Exits(0).Json.EnumerateArray().Where(static mount => mount.GetProperty("path").GetString() is { Length: > 0 })
            .ToDictionary(
                static mount => mount.GetProperty("layer").GetString()!,
                static mount => mount.GetProperty("leases").EnumerateArray().Select(static lease => lease.GetProperty("lease").GetString()!).ToList());
        using var late = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (!JournalAccess.Read(Path.Combine(Root, "journal.db"), isOwned: true, journal => Has(journal, shown))) await Task.Delay(10, late.Token);
    }

    private IEnumerable<string> In(params string[] directories) =>
        directories.Select(name => Path.Combine(Root, name)).Where(Directory.Exists).SelectMany(Directory.EnumerateFileSystemEntries);

    private static bool Has(JournalFile journal, Dictionary<string, List<string>> shown) =>
        CatalogState.Empty.Apply(journal.Read("catalog")).ListLayers().Where(layer => shown.ContainsKey(layer.Id.Value)).All(layer =>
        {
            var id = new LayerSetup(new LayerLocation(layer.Id, ""), [], layer.Kind, layer.Created).PersistenceId;
            var known = journal.Read(id).Aggregate(new LayerState(layer.Id, layer.Kind, null), static (state, happened) => state.Apply(happened));
            return shown[layer.Id.Value].All(lease => known.Leases.Any(granted => granted.Lease.Value == lease));
        });

    /// <summary>What an interrupted or refused verb must not leave.</summary>
    internal IEnumerable<string> Leftovers() => In("staging", "trash");

    /// <summary>What is in the making, or was left there: an engine that starts sweeps it.</summary>
    internal IEnumerable<string> Staged() => In("staging");

    public async ValueTask DisposeAsync()
    {
        if (_node is { } node)
        {
            if (!node.HasEnded) node.Signal("TERM");
            await node.EndAsync();
            node.Dispose();
        }

        _directory.Dispose();
    }
}
