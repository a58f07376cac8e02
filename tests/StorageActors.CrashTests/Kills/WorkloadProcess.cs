using System.Diagnostics;
using System.Text.Json;
using StorageActors.CrashTests.Model;
using StorageActors.CrashTests.Workload;

namespace StorageActors.CrashTests.Kills;

/// <summary>The process that is killed, and what it has said so far.</summary>
internal sealed class WorkloadProcess : IDisposable
{
    private readonly Process _process;
    private readonly List<string> _lines = [];
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _stopping = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _reading;
    private readonly Task<string> _errors;

    private WorkloadProcess(Process process)
    {
        _process = process;
        _reading = ReadAsync();
        _errors = process.StandardError.ReadToEndAsync();
    }

    /// <summary>Starts one.</summary>
    /// <param name="order">What it does.</param>
    /// <param name="crashAt">The named place at which it kills itself, or null.</param>
    internal static WorkloadProcess Start(WorkloadOrder order, string? crashAt)
    {
        var orderFile = Path.Combine(order.Blobs, "order.json");
        File.WriteAllText(orderFile, JsonSerializer.Serialize(order));
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        foreach (var argument in (string[])["exec", typeof(WorkloadProcess).Assembly.Location, "workload", orderFile]) start.ArgumentList.Add(argument);
        // A process that lives for a second: no time for the compiler's second thoughts, and one heap is enough.
        start.Environment["DOTNET_TieredPGO"] = "0";
        start.Environment["DOTNET_gcServer"] = "0";
        // Whoever is killed leaves the runtime's sockets for debuggers in the temporary directory.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        if (crashAt is not null) start.Environment["STORAGE_ACTORS_CRASH_AT"] = crashAt;
        return new WorkloadProcess(Process.Start(start)!);
    }

    /// <summary>When its engine serves, or when it has ended.</summary>
    internal Task Ready => Task.WhenAny(_ready.Task, _reading);

    /// <summary>When its engine is about to stop, or when it has ended.</summary>
    internal Task Stopping => Task.WhenAny(_stopping.Task, _reading);

    /// <summary>When it has ended.</summary>
    internal Task Ended => _reading;

    /// <summary>What it has said by now.</summary>
    internal IReadOnlyList<string> Lines()
    {
        lock (_lines) return [.. _lines];
    }

    /// <summary>SIGKILL, wherever it is.</summary>
    internal void Kill() => _process.Kill();

    /// <summary>Waits for its end and reads what is left; its exit code, and what it wrote to stderr.</summary>
    internal async Task<(int ExitCode, string Errors)> EndAsync()
    {
        await _reading.ConfigureAwait(false);
        var errors = await _errors.ConfigureAwait(false);
        await _process.WaitForExitAsync().ConfigureAwait(false);
        return (_process.ExitCode, errors);
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.Dispose();
    }

    private async Task ReadAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync().ConfigureAwait(false) is { } line)
        {
            lock (_lines) _lines.Add(line);
            if (line == "ready") _ready.TrySetResult();
            if (line == "stopping") _stopping.TrySetResult();
        }
    }
}
