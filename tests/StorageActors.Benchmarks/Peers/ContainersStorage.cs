using StorageActors.TestSupport;

namespace StorageActors.Benchmarks.Peers;

/// <summary>A store of containers/storage, by its own command: what Podman, Buildah and CRI-O keep layers with.</summary>
internal sealed class ContainersStorage(string home, string driver = "overlay")
{
    internal const string Program = "containers-storage";

    /// <summary>Holds all of it.</summary>
    internal string Home => home;

    internal string Graph { get; } = Path.Combine(home, "graph");

    internal string State { get; } = Path.Combine(home, "state");

    /// <summary>Runs one command of it and returns what it printed.</summary>
    internal string Run(params IEnumerable<string> arguments) =>
        Command.Run(Program, ["--graph", Graph, "--run", State, "--storage-driver", driver, .. arguments]);

    /// <summary>Imports a layer and returns its id.</summary>
    internal string Import(string tar) => Run("import-layer", "-f", tar).Split('\n', StringSplitOptions.RemoveEmptyEntries)[0].Trim();

    /// <summary>The command line, for scripts.</summary>
    internal string CommandLine(string arguments) => $"{Program} --graph '{Graph}' --run '{State}' --storage-driver {driver} {arguments}";
}
