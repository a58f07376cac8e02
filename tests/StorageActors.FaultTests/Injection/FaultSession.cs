using System.Diagnostics;
using System.Text.Json;
using StorageActors.FaultTests.Host;
using StorageActors.FaultTests.Seccomp;
using StorageActors.Linux;
using StorageActors.TestSupport;

namespace StorageActors.FaultTests.Injection;

/// <summary>One fault in one flow, and what came of it.</summary>
/// <param name="Flow">The flow.</param>
/// <param name="Fault">The fault; none in a run that only counts.</param>
/// <param name="Nth">Which call was to meet it.</param>
/// <param name="Call">The call that met it; none when there were fewer calls.</param>
/// <param name="Outcome">How the flow ended.</param>
/// <param name="Violations">What is not as it must be.</param>
/// <param name="IsReached">Whether there were so many calls; a transfer of a single byte meets nothing even then.</param>
internal sealed record FaultCase(string Flow, Fault? Fault, int Nth, string? Call, Outcome Outcome, IReadOnlyList<string> Violations, bool IsReached)
{
    public override string ToString() =>
        $"{Flow}: {Fault} at call {Nth} ({Call}): {(Outcome.Succeeded ? "succeeded" : Outcome.Code ?? Outcome.Kind)}\n    "
        + string.Join("\n    ", Violations.Append(Outcome.Message is null ? "" : $"said: {Outcome.Message}"));
}

/// <summary>A process with an engine in it, whose calls pass through an <see cref="Injector"/>.</summary>
internal sealed class FaultSession : IDisposable
{
    /// <summary>Longer than any of the host's own limits.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    private readonly string _directory;
    private readonly TempDirectory? _owned;
    private readonly Process _process;
    private readonly Injector _injector;

    private FaultSession(string directory, TempDirectory? owned, Process process, Injector injector) =>
        (_directory, _owned, _process, _injector) = (directory, owned, process, injector);

    /// <summary>On a new store, which goes with the session.</summary>
    internal static async Task<FaultSession> StartAsync(LoopFileSystem fileSystem)
    {
        var directory = fileSystem.NewDirectory();
        try
        {
            return await StartAsync(directory.Path, directory);
        }
        catch
        {
            directory.Dispose();
            throw;
        }
    }

    /// <summary>On the store that is there, or a new one, which stays.</summary>
    internal static Task<FaultSession> StartAsync(string directory) => StartAsync(directory, owned: null);

    private static async Task<FaultSession> StartAsync(string directory, TempDirectory? owned)
    {
        string[] arguments = [typeof(FaultHost).Assembly.Location, "host", directory, .. (string[])(owned is null ? ["cold"] : [])];
        var start = new ProcessStartInfo("dotnet", arguments) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true };
        start.Environment["DOTNET_EnableDiagnostics"] = "0";   // It may be killed, and would leave the runtime's sockets behind.
        var process = Process.Start(start)!;
        try
        {
            await process.StandardOutput.ReadLineAsync().WaitAsync(Longest);   // it is about to ask for the filter
            var line = await process.StandardOutput.ReadLineAsync().WaitAsync(Longest) ?? throw new InvalidOperationException("the host did not start");
            return new FaultSession(directory, owned, process, new Injector(process.Id, JsonSerializer.Deserialize<int>(line), directory));
        }
        catch
        {
            End(process);
            throw;
        }
    }

    /// <summary>The calls that a flow makes, by name.</summary>
    internal async Task<IReadOnlyList<string>> CountAsync(Flow flow)
    {
        var (calls, result) = await ActAsync(flow, null, 0);
        return result.Outcome.Succeeded && result.Violations.Count == 0 ? calls : throw new InvalidOperationException(result.ToString());
    }

    /// <summary>Runs a flow with a fault at its n-th call, then looks at the store.</summary>
    internal async Task<FaultCase> RunAsync(Flow flow, Fault fault, int nth) => (await ActAsync(flow, fault, nth)).Result;

    /// <summary>Runs a flow with a fault at its n-th call, then has the engine stop and start undisturbed, and looks at the store.</summary>
    /// <returns>Also whether something was staged among the images before the engine stopped.</returns>
    internal async Task<(Outcome Outcome, bool LeftStaged, IReadOnlyList<string> Violations)> RunAndReopenAsync(Flow flow, Fault fault, int nth)
    {
        await AskAsync<bool>("prepare " + flow.Name);
        _injector.Arm(fault, nth);
        Outcome outcome;
        try
        {
            outcome = await AskAsync<Outcome>("act " + flow.Name);
            await _injector.SettleAsync();
        }
        finally
        {
            _injector.Disarm();
        }

        var leftStaged = Directory.EnumerateDirectories(Path.Combine(_directory, "store", "images"), ".new-*").Any();
        return (outcome, leftStaged, await ReopenAsync());
    }

    /// <summary>Runs a flow in which the process dies before its n-th call that changes names or mounts; the call, or null when there were fewer, and the process lives.</summary>
    internal async Task<string?> DieAsync(Flow flow, int nth)
    {
        await AskAsync<bool>("prepare " + flow.Name);
        _injector.Arm(Fault.Death, nth);
        await _process.StandardInput.WriteLineAsync("act " + flow.Name);
        await _process.StandardInput.FlushAsync();
        var answer = await _process.StandardOutput.ReadLineAsync().WaitAsync(Longest);
        if (answer is not null)
        {
            var outcome = JsonSerializer.Deserialize<Outcome>(answer)!;
            if (!outcome.Succeeded) throw new InvalidOperationException($"{flow.Name} failed undisturbed: {outcome.Message}");
            await _injector.SettleAsync();
        }

        var met = _injector.Disarm().Met;
        if (met is not null) await _process.WaitForExitAsync().WaitAsync(Longest);
        return met;
    }

    /// <summary>Has the engine stop and start, and looks at the store again.</summary>
    internal Task<List<string>> ReopenAsync() => AskAsync<List<string>>("reopen ");

    private async Task<(IReadOnlyList<string> Calls, FaultCase Result)> ActAsync(Flow flow, Fault? fault, int nth)
    {
        await AskAsync<bool>("prepare " + flow.Name);
        _injector.Arm(fault, nth);
        Outcome outcome;
        (IReadOnlyList<string> Calls, string? Met) seen;
        try
        {
            outcome = await AskAsync<Outcome>("act " + flow.Name);
            await _injector.SettleAsync();
        }
        finally
        {
            seen = _injector.Disarm();
        }
        var violations = new List<string>();
        if (outcome is { Succeeded: false, Code: null or nameof(Protocol.StorageErrorCode.Internal) }) violations.Add($"no typed error: {outcome.Kind}");
        if (seen.Met is not null && fault!.IsInvisible && !outcome.Succeeded) violations.Add("it was not made good");
        if (seen.Met is null && !outcome.Succeeded) violations.Add("it failed undisturbed");
        violations.AddRange(await AskAsync<List<string>>((outcome.Succeeded ? "verify-success " : "verify ") + flow.Name));
        return (seen.Calls, new FaultCase(flow.Name, fault, nth, seen.Met, outcome, violations, seen.Calls.Count >= nth));
    }

    private async Task<T> AskAsync<T>(string line)
    {
        await _process.StandardInput.WriteLineAsync(line);
        await _process.StandardInput.FlushAsync();
        var answer = await _process.StandardOutput.ReadLineAsync().WaitAsync(Longest);
        return answer is null ? throw new InvalidOperationException($"the process under test died in \"{line}\"") : JsonSerializer.Deserialize<T>(answer)!;
    }

    public void Dispose()
    {
        End(_process);
        _injector.Dispose();
        if (_owned is null) return;
        // What a process leaves that is killed is not what is tested here.
        foreach (var mount in MountTable.ReadBelow(_directory)) Libc.TryUmount2(mount.Target, UnmountFlags.Detach);
        _owned.Dispose();
    }

    private static void End(Process process)
    {
        process.Kill();
        process.WaitForExit();
        process.Dispose();
    }
}
