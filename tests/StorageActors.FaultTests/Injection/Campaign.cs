using StorageActors.FaultTests.Host;
using StorageActors.TestSupport;

namespace StorageActors.FaultTests.Injection;

/// <summary>What a campaign found.</summary>
internal sealed class CampaignReport
{
    private readonly Dictionary<string, FlowReport> _flows = [];

    internal List<FaultCase> Violations { get; } = [];

    /// <summary>Which call, failing how, was answered with what: how often.</summary>
    internal SortedDictionary<string, int> Refusals { get; } = new(StringComparer.Ordinal);

    internal IEnumerable<FlowReport> Flows => _flows.Values;

    internal FlowReport Of(string flow, int calls) => _flows.TryGetValue(flow, out var known) ? known : _flows[flow] = new FlowReport(flow, calls);

    internal void Add(FaultCase one, FlowReport flow)
    {
        if (one.Call is null && one.Violations.Count == 0) return;   // Fewer calls than last time, or a transfer that cannot be shorter.
        flow.Injected++;
        if (one.Outcome.Succeeded) flow.Succeeded++;
        else Refuse($"{one.Outcome.Code ?? one.Outcome.Kind} for {one.Fault} of {one.Call} in {one.Flow}: {one.Outcome.Message?.Split(':')[0]}");
        if (one.Violations.Count > 0) Violations.Add(one);
    }

    private void Refuse(string how) => Refusals[how] = Refusals.GetValueOrDefault(how) + 1;
}

/// <summary>One line of the report.</summary>
internal sealed class FlowReport(string flow, int calls)
{
    internal string Flow { get; } = flow;

    internal int Calls { get; } = calls;

    internal int Injected { get; set; }

    internal int Succeeded { get; set; }
}

/// <summary>Runs flows with faults at their calls. A session in which something was wrong is given up: its store may not be what the next case expects.</summary>
internal sealed class Campaign(LoopFileSystem fileSystem, Action<string> log) : IDisposable
{
    private FaultSession? _session;

    internal CampaignReport Report { get; } = new();

    /// <param name="flow">The flow.</param>
    /// <param name="fault">The fault.</param>
    /// <param name="calls">Which calls, of how many there are.</param>
    /// <param name="over">Whether the time is up.</param>
    internal async Task RunAsync(Flow flow, Fault fault, Func<int, IEnumerable<int>> calls, Func<bool> over)
    {
        var names = await CountAsync(flow);
        var report = Report.Of(flow.Name, names.Count);
        foreach (var nth in calls(names.Count))
        {
            if (over()) return;
            var one = await OneAsync(flow, fault, nth);
            Report.Add(one, report);
            if (one.Violations.Count > 0)
            {
                log(one.ToString());
                End();
            }
            else if (!one.IsReached)
            {
                break;   // Fewer calls fit the fault than there are.
            }
        }
        if (_session is null) return;
        var reopened = await _session.ReopenAsync();
        if (reopened.Count == 0) return;
        var late = new FaultCase(flow.Name, fault, 0, "reopened afterwards", new Outcome(true, null, null, null, null), reopened, IsReached: true);
        Report.Add(late, report);
        log(late.ToString());
        End();
    }

    internal async Task<IReadOnlyList<string>> CountAsync(Flow flow)
    {
        _session ??= await FaultSession.StartAsync(fileSystem);
        return await _session.CountAsync(flow);
    }

    private async Task<FaultCase> OneAsync(Flow flow, Fault fault, int nth)
    {
        _session ??= await FaultSession.StartAsync(fileSystem);
        try
        {
            return await _session.RunAsync(flow, fault, nth);
        }
        catch (Exception e) when (e is InvalidOperationException or TimeoutException or IOException)
        {
            return new FaultCase(flow.Name, fault, nth, "?", new Outcome(false, null, null, null, null), [e.Message], IsReached: true);
        }
    }

    private void End()
    {
        _session?.Dispose();
        _session = null;
    }

    public void Dispose() => End();
}
