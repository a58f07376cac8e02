using StorageActors.Protocol;

namespace StorageActors.Cli.Progress;

/// <summary>For logs: a line with the sum, once a second while something changes.</summary>
internal sealed class ProgressLines : ProgressBoard
{
    private readonly string _verb;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _ticking;
    private volatile bool _changed;

    internal ProgressLines(string verb, TimeProvider time)
    {
        _verb = verb;
        _ticking = TickAsync(time);
    }

    public override async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _ticking;
        _stop.Dispose();
    }

    protected override void Changed(StagingProgress progress, string label) => _changed = true;

    private async Task TickAsync(TimeProvider time)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1), time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                if (!_changed) continue;
                _changed = false;
                var sum = Sum();
                if (!sum.IsOver) await Console.Error.WriteLineAsync($"storage-actors: {_verb}: {sum}");
            }
        }
        catch (OperationCanceledException)
        {
            // The work has ended.
        }
    }
}
