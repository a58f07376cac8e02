using Spectre.Console;
using StorageActors.Cli.Output;
using StorageActors.Protocol;

namespace StorageActors.Cli.Progress;

/// <summary>For people: a bar for each extraction that runs, and one line for the sum.</summary>
internal sealed class ProgressBars : ProgressBoard
{
    private readonly Dictionary<TicketId, ProgressTask> _bars = [];
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _drawing;
    private ProgressContext? _context;
    private ProgressTask? _sum;

    internal ProgressBars()
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        _drawing = console.Progress().AutoClear(true).HideCompleted(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn())
            .StartAsync(async context =>
            {
                Volatile.Write(ref _context, context);
                await _ended.Task;
            });
    }

    public override async ValueTask DisposeAsync()
    {
        _ended.TrySetResult();
        await _drawing;
    }

    protected override void Changed(StagingProgress progress, string label)
    {
        if (Volatile.Read(ref _context) is not { } context || progress.Phase == StagingPhase.Queued) return;
        var sum = Sum();
        _sum ??= context.AddTask("");
        _sum.Description = Markup.Escape(sum.ToString());
        Set(_sum, sum.BytesRead, sum.BytesTotal);
        if (sum.Layers == 1) return;

        if (!_bars.TryGetValue(progress.Ticket, out var bar)) _bars[progress.Ticket] = bar = context.AddTask("");
        bar.Description = Markup.Escape($"  {label} {progress.Phase.ToString().ToLowerInvariant()} {Human.Size(progress.BytesRead)}");
        Set(bar, progress.BytesRead, progress.BytesTotal);
        if (progress.Phase >= StagingPhase.Done) bar.StopTask();
    }

    private static void Set(ProgressTask bar, long read, long? total)
    {
        bar.IsIndeterminate = total is null;
        if (total is not { } bytes) return;
        bar.MaxValue = Math.Max(1, bytes);
        // A full bar counts as completed and is hidden; syncing and committing are still to come.
        bar.Value = Math.Min(read, bar.MaxValue - (bar.MaxValue / 1000));
    }
}
