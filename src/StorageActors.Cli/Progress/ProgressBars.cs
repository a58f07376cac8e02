using Spectre.Console;
using StorageActors.Cli.Output;
using StorageActors.Protocol;

namespace StorageActors.Cli.Progress;

/// <summary>For people: a bar for each extraction that runs, and one line for the sum.</summary>
internal sealed class ProgressBars : ProgressBoard
{
    private readonly Lock _starting = new();
    private readonly Dictionary<TicketId, ProgressTask> _bars = [];
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task? _drawing;
    private ProgressContext? _context;
    private ProgressTask? _sum;

    public override async ValueTask DisposeAsync()
    {
        lock (_starting) _ended.TrySetResult();
        if (_drawing is { } drawing) await drawing;
    }

    protected override void Changed(StagingProgress progress, string label)
    {
        if (progress.Phase == StagingPhase.Queued || Drawing() is not { } context) return;
        var sum = Sum();
        Set(_sum ??= context.AddTask(Text(sum)), Text(sum), sum.BytesRead, sum.BytesTotal);
        if (sum.Layers == 1) return;

        var text = Markup.Escape($"  {label} {progress.Phase.ToString().ToLowerInvariant()} {Human.Size(progress.BytesRead)}");
        if (!_bars.TryGetValue(progress.Ticket, out var bar)) _bars[progress.Ticket] = bar = context.AddTask(text);
        Set(bar, text, progress.BytesRead, progress.BytesTotal);
        if (progress.Phase >= StagingPhase.Done) bar.StopTask();
    }

    /// <summary>Where to draw: from the first report on, so that work without any leaves the terminal alone, and no longer when the board has gone.</summary>
    private ProgressContext? Drawing()
    {
        lock (_starting)
        {
            if (!_ended.Task.IsCompleted) _drawing ??= DrawAsync();
        }

        return Volatile.Read(ref _context);
    }

    private Task DrawAsync()
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return console.Progress().AutoClear(true).HideCompleted(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn())
            .StartAsync(async context =>
            {
                Volatile.Write(ref _context, context);
                await _ended.Task;
            });
    }

    private static string Text(Totals sum) => Markup.Escape(sum.ToString());

    private static void Set(ProgressTask bar, string text, long read, long? total)
    {
        bar.Description = text;
        bar.IsIndeterminate = total is null;
        if (total is not { } bytes) return;
        bar.MaxValue = Math.Max(1, bytes);
        // A full bar counts as completed and is hidden; syncing and committing are still to come.
        bar.Value = Math.Min(read, bar.MaxValue - (bar.MaxValue / 1000));
    }
}
