using StorageActors.Cli.Output;
using StorageActors.Cli.Running;
using StorageActors.Protocol;

namespace StorageActors.Cli.Progress;

/// <summary>
/// Shows on stderr how extractions go: bars on a terminal, else a line a second at most, or nothing. Disposing it takes the bars away, so do
/// that before anything else is printed.
/// </summary>
internal abstract class ProgressBoard : IProgress<StagingProgress>, IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<TicketId, StagingProgress> _latest = [];
    private readonly Dictionary<TicketId, string> _labels = [];

    /// <summary>What a client is to report to; none when nothing is shown, which spares the reports.</summary>
    internal virtual IProgress<StagingProgress>? Observer => this;

    /// <summary>The board that fits where stderr goes and what the user asked for.</summary>
    internal static ProgressBoard Start(Invocation call)
    {
        var terminal = !Console.IsErrorRedirected;
        if (call.Output.Quiet || (call.Output.Json && !terminal)) return new Silent();
        return terminal ? new ProgressBars() : new ProgressLines(call.Verb, TimeProvider.System);
    }

    /// <summary>What to call an extraction; without it, its ticket is not shown.</summary>
    internal void Label(TicketId ticket, string label)
    {
        lock (_gate) _labels[ticket] = label;
    }

    /// <inheritdoc/>
    public void Report(StagingProgress value)
    {
        lock (_gate)
        {
            _latest[value.Ticket] = value;
            Changed(value, _labels.GetValueOrDefault(value.Ticket, "layer"));
        }
    }

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();

    /// <summary>Called for each report, one at a time.</summary>
    protected abstract void Changed(StagingProgress progress, string label);

    /// <summary>Where all extractions together stand.</summary>
    protected Totals Sum()
    {
        lock (_gate)
        {
            var known = _latest.Values.ToArray();
            return new Totals(
                known.Length, known.Count(static p => p.Phase is StagingPhase.Done), known.Sum(static p => p.BytesRead),
                known.All(static p => p.BytesTotal is not null) ? known.Sum(static p => p.BytesTotal!.Value) : null,
                known.Sum(static p => p.Entries), known.Where(static p => p.Phase < StagingPhase.Done).Select(static p => (StagingPhase?)p.Phase).Max());
        }
    }

    /// <summary>A sum over extractions.</summary>
    protected sealed record Totals(int Layers, int Done, long BytesRead, long? BytesTotal, long Entries, StagingPhase? Phase)
    {
        /// <summary>Whether all has ended, well or not; what the verb prints then says more.</summary>
        internal bool IsOver => Phase is null;

        /// <summary>For people, on one line.</summary>
        public override string ToString()
        {
            var layers = Layers > 1 ? $"{Done} of {Layers} layers done, " : "";
            var total = BytesTotal is { } bytes ? $" of {Human.Size(bytes)}" : "";
            var phase = Phase is { } active ? $"{active.ToString().ToLowerInvariant()}, " : "";
            return Phase is StagingPhase.Deleting or StagingPhase.Writing or StagingPhase.Sealing ? $"{layers}{phase}{Human.Size(BytesRead)}{total}"
                : $"{layers}{phase}{Human.Size(BytesRead)}{total} read, {Entries} entries";
        }
    }

    private sealed class Silent : ProgressBoard
    {
        internal override IProgress<StagingProgress>? Observer => null;

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

        protected override void Changed(StagingProgress progress, string label)
        {
            // Nobody wants to know.
        }
    }
}
