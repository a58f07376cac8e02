using StorageActors.TestSupport;

namespace StorageActors.Benchmarks.Inputs;

/// <summary>Command lines with pipes.</summary>
internal static class Shell
{
    internal static string Run(string script) => Command.Run("bash", "-euo", "pipefail", "-c", script);
}
