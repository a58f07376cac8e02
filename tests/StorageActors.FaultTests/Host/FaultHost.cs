using System.Text.Json;
using Microsoft.Win32.SafeHandles;
using StorageActors.FaultTests.Seccomp;
using StorageActors.Linux;
using StorageActors.Protocol;

namespace StorageActors.FaultTests.Host;

/// <summary>What came of a flow.</summary>
internal sealed record Outcome(bool Succeeded, string? Kind, string? Code, string? Errno, string? Message);

/// <summary>
/// The process under test: an engine on a store, driven line by line over the standard streams, so that calls can be made to fail
/// from outside. Each line gets one line of JSON.
/// </summary>
internal static class FaultHost
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    // Console would make copies of the descriptors, which the filter does not know.
    private static readonly StreamReader Commands = new(new FileStream(new SafeFileHandle(0, ownsHandle: false), FileAccess.Read, 1));
    private static readonly StreamWriter Answers = new(new FileStream(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, 1)) { AutoFlush = true };

    /// <param name="directory">Where the store lies, or is made.</param>
    /// <param name="isWarm">Whether every flow is run once before; not where calls are not to fail, but end the process.</param>
    internal static async Task<int> RunAsync(string directory, bool isWarm)
    {
        Console.SetOut(Console.Error);
        var store = await HostStore.OpenAsync(directory);
        if (isWarm)
        {
            foreach (var flow in Flow.All.Reverse()) await WarmUpAsync(store, flow);   // the restart first: an engine opens some files when it needs them
        }

        await store.RememberAsync();
        // Once more, so that nothing is loaded between the filter and the line that says where to serve it; the standard streams are not filtered.
        Reply(-1);
        Reply(Native.Install(Filter.Build()));
        while (await Commands.ReadLineAsync() is { } line && line != "end")
        {
            var (command, name) = (line[..line.IndexOf(' ')], line[(line.IndexOf(' ') + 1)..]);
            await AnswerAsync(store, command, Flow.All.Append(Flow.PutAgain).FirstOrDefault(flow => flow.Name == name));
        }
        await store.StopAsync();
        return 0;
    }

    /// <summary>Everything is loaded and compiled before calls are counted: a runtime that cannot open an assembly is no case of ours.</summary>
    private static async Task WarmUpAsync(HostStore store, Flow flow)
    {
        if (flow.Prepare is not null) await flow.Prepare(store);
        await flow.Act(store);
        if (flow.Verify is not null) await flow.Verify(store);
        if (flow.Undo is not null) await flow.Undo(store);
    }

    private static async Task AnswerAsync(HostStore store, string command, Flow? flow)
    {
        switch (command)
        {
            case "prepare":
                await (flow!.Prepare?.Invoke(store) ?? Task.CompletedTask);
                Reply(true);
                break;
            case "act":
                Reply(await OutcomeAsync(() => flow!.Act(store)));
                break;
            case "verify":
                Reply(await VerifyAsync(store, flow!, succeeded: false));
                break;
            case "verify-success":
                Reply(await VerifyAsync(store, flow!, succeeded: true));
                break;
            default:
                Reply(await FindAsync(() => ReopenAsync(store)));
                break;
        }
    }

    private static async Task<List<string>> VerifyAsync(HostStore store, Flow flow, bool succeeded)
    {
        var faults = new List<string>();
        if (!store.IsRunning && await OutcomeAsync(store.StartAsync) is { Succeeded: false } refused) return [$"the store does not open again: {refused.Message}"];
        if (succeeded && flow.Verify is not null) faults.AddRange(await FindAsync(async () =>
        {
            await flow.Verify(store);
            return [];
        }));
        // An output file that a refused command left is a fault; one that a success made is not.
        if (succeeded && flow.Undo is not null) faults.AddRange(await UndoAsync(store, flow));
        faults.AddRange(await FindAsync(store.FindFaultsAsync));
        if (!succeeded && flow.Undo is not null) faults.AddRange(await UndoAsync(store, flow));
        faults.AddRange(await FindAsync(store.FindExtrasAsync));
        return faults;
    }

    private static Task<List<string>> UndoAsync(HostStore store, Flow flow) => FindAsync(async () =>
    {
        await flow.Undo!(store);
        return [];
    });

    private static async Task<List<string>> ReopenAsync(HostStore store)
    {
        await store.StopAsync();
        await store.StartAsync();
        return [.. await store.FindFaultsAsync(), .. await store.FindExtrasAsync()];
    }

    private static async Task<List<string>> FindAsync(Func<Task<List<string>>> look)
    {
        try
        {
            return await look().WaitAsync(Longest);
        }
        catch (Exception e) when (e is StorageException or IOException or TimeoutException or InvalidDataException or InvalidOperationException or UnauthorizedAccessException)
        {
            return [$"undisturbed, but {e.GetType().Name}: {e.Message}"];
        }
    }

    private static async Task<Outcome> OutcomeAsync(Func<Task> act)
    {
        try
        {
            await act().WaitAsync(Longest);
            return new Outcome(true, null, null, null, null);
        }
        catch (StorageException e)
        {
            return new Outcome(false, nameof(StorageException), e.Error.Code.ToString(), e.Error.Errno, $"{e.Error.Operation}: {e.Error.Message}");
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return new Outcome(false, e.GetType().Name, null, (e as LinuxException)?.Errno.ToString(), e.ToString());
        }
    }

    private static void Reply<T>(T value) => Answers.WriteLine(JsonSerializer.Serialize(value));
}
