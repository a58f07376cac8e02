using StorageActors.FaultTests.Host;
using StorageActors.Linux;
using StorageActors.Protocol;
using StorageActors.TestSupport;

namespace StorageActors.FaultTests.Injection;

/// <summary>A death before one call of a flow.</summary>
/// <param name="Flow">The flow.</param>
/// <param name="Nth">Which of the calls that change names or mounts it was.</param>
/// <param name="Call">The call that was not made any more.</param>
/// <param name="Violations">What was wrong with the store afterwards.</param>
internal sealed record FlowDeath(string Flow, int Nth, string Call, IReadOnlyList<string> Violations)
{
    public override string ToString() => $"{Flow}: death before call {Nth} ({Call}): {(Violations.Count == 0 ? "nothing lost, nothing left" : string.Join("\n    ", Violations))}";
}

/// <summary>
/// Processes die in the midst of what a user asks for, each right before a call that changes names or mounts; the next engine, undisturbed, must find all that always lies
/// in the store, and nothing else. One store for all deaths: what each leaves is where the next begins.
/// </summary>
internal sealed class DeathRun(LoopFileSystem fileSystem, Action<string> log) : IDisposable
{
    private readonly TempDirectory _directory = fileSystem.NewDirectory();
    private HashSet<string>? _layers;

    internal List<FlowDeath> Deaths { get; } = [];

    /// <summary>Goes through the calls of a flow, as many as there are.</summary>
    /// <param name="flow">The flow.</param>
    /// <param name="first">The first call, from 1.</param>
    /// <param name="step">How many to go on by.</param>
    /// <param name="most">How many at most.</param>
    internal async Task RunAsync(Flow flow, int first = 1, int step = 1, int most = int.MaxValue)
    {
        _layers ??= await LayersOfNewStoreAsync();
        for (var (nth, deaths) = (first, 0); deaths < most; nth += step, deaths++)
        {
            string? call;
            using (var session = await FaultSession.StartAsync(_directory.Path)) call = await session.DieAsync(flow, nth);
            var violations = await LookAsync(flow);
            if (call is null && violations.Count == 0) return;
            var death = new FlowDeath(flow.Name, nth, call ?? "at its end", violations);
            Deaths.Add(death);
            log(death.ToString());
            if (call is null || violations.Count > 0) return;   // What follows from a violation is no news.
        }
    }

    public void Dispose()
    {
        foreach (var mount in MountTable.ReadBelow(_directory.Path)) Libc.TryUmount2(mount.Target, UnmountFlags.Detach);
        _directory.Dispose();
    }

    private async Task<HashSet<string>> LayersOfNewStoreAsync()
    {
        var store = await HostStore.OpenAsync(_directory.Path, isPatient: true);
        var layers = await store.KeysAsync();
        await store.StopAsync();
        return layers;
    }

    private async Task<List<string>> LookAsync(Flow flow)
    {
        var violations = new List<string>();
        HostStore store;
        try
        {
            store = await HostStore.OpenAsync(_directory.Path, isPatient: true);
        }
        catch (Exception e) when (e is StorageException or KeyNotFoundException or InvalidOperationException)
        {
            return [$"the store does not open: {e.Message}"];
        }

        try
        {
            violations.AddRange(await store.FindFaultsAsync());
            if (flow.Undo is not null) await flow.Undo(store);
            violations.AddRange((await store.FindFaultsAsync()).Select(static fault => $"undone: {fault}"));
            var layers = await store.KeysAsync();
            violations.AddRange(_layers!.Except(layers).Select(static layer => $"lost: {layer}"));
            violations.AddRange(layers.Except(_layers!).Select(static layer => $"extra: {layer}"));
        }
        catch (Exception e) when (e is StorageException or IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            violations.Add($"{e.GetType().Name}: {e.Message}");
        }
        finally
        {
            await store.StopAsync();
        }

        return violations;
    }
}
