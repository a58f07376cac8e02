using System.Text;
using StorageActors.Node.Wire;
using StorageActors.Protocol;

namespace StorageActors.Node.Client;

/// <summary>Reads the progress stream of one extraction and hands each line to an observer, until it is disposed or the extraction ends.</summary>
internal sealed class ProgressFeed : IDisposable
{
    private readonly CancellationTokenSource _stop = new();

    internal ProgressFeed(HttpClient http, TicketId ticket, IProgress<StagingProgress> observer)
    {
        var stop = _stop.Token;
        // Progress is for the eye: when its stream breaks, the command itself will tell what happened.
        _ = ReadAsync(http, ticket, observer, stop).ContinueWith(
            static reading => _ = reading.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
    }

    public void Dispose()
    {
        _stop.Cancel();
        _stop.Dispose();
    }

    private static async Task ReadAsync(HttpClient http, TicketId ticket, IProgress<StagingProgress> observer, CancellationToken stop)
    {
        await using var lines = await http.GetStreamAsync($"{CommandTable.Prefix}progress?ticket={ticket}", stop);
        using var reader = new StreamReader(lines);
        while (await reader.ReadLineAsync(stop) is { } line)
        {
            observer.Report(WireJson.Read<StagingProgress>(Encoding.UTF8.GetBytes(line)));
        }
    }
}
