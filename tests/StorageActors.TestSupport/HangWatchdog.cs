using System.Collections.Concurrent;
using Xunit.Abstractions;

namespace StorageActors.TestSupport;

/// <summary>
/// Ends the process with the names of the tests that run, when one has run for longer than any test may: a run that hangs says nothing until somebody
/// kills it, and then it has lost which test it was. STORAGE_ACTORS_TEST_MINUTES sets another limit than 10, for runs that take hours on request.
/// </summary>
internal sealed class HangWatchdog : Xunit.LongLivedMarshalByRefObject, IMessageSink, IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(
        int.TryParse(Environment.GetEnvironmentVariable("STORAGE_ACTORS_TEST_MINUTES"), out var minutes) ? minutes : 10);

    private readonly IMessageSink _sink;
    private readonly ConcurrentDictionary<string, long> _running = new(StringComparer.Ordinal);
    private readonly Timer _timer;

    internal HangWatchdog(IMessageSink sink)
    {
        _sink = sink;
        _timer = new Timer(_ => Look(), null, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(10));
    }

    public bool OnMessage(IMessageSinkMessage message)
    {
        if (message is ITestStarting starting) _running[starting.Test.DisplayName] = TimeProvider.System.GetTimestamp();
        else if (message is ITestFinished finished) _running.TryRemove(finished.Test.DisplayName, out _);
        return _sink.OnMessage(message);
    }

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        var hanging = _running.Where(static test => TimeProvider.System.GetElapsedTime(test.Value) > Limit).Select(static test => test.Key).ToList();
        if (hanging.Count > 0) Environment.FailFast($"A test has not ended within {Limit.TotalMinutes} minutes: {string.Join("; ", hanging)}");
    }
}
