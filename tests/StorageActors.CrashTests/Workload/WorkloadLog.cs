using System.Globalization;
using System.Text;
using System.Text.Json;
using StorageActors.CrashTests.Model;

namespace StorageActors.CrashTests.Workload;

/// <summary>What the workload says, a line each, into a pipe: what was written to it is read even when the writer is killed in the next moment.</summary>
internal sealed class WorkloadLog(Stream pipe)
{
    private readonly Lock _gate = new();

    /// <summary>The engine serves.</summary>
    internal void Ready() => Write("ready");

    /// <summary>All work is done, and the engine is about to stop.</summary>
    internal void Stopping() => Write("stopping");

    /// <summary>A step is about to be sent.</summary>
    internal void Begin(int worker, Step step) => Write(string.Create(CultureInfo.InvariantCulture, $"> {worker} {JsonSerializer.Serialize(step)}"));

    /// <summary>It is done: the store said so.</summary>
    internal void Done(int worker, string? answer) => Write(string.Create(CultureInfo.InvariantCulture, $"< {worker} {JsonSerializer.Serialize(answer)}"));

    /// <summary>Something that must not happen, happened.</summary>
    internal void Fault(string message) => Write("! " + message.ReplaceLineEndings(" | "));

    private void Write(string line)
    {
        lock (_gate) pipe.Write(Encoding.UTF8.GetBytes(line + "\n"));
    }
}
