using System.Diagnostics;
using Xunit.Sdk;

namespace Akka.TestKit;

public abstract partial class TestKitBase
{
    private TimeSpan? _end;
    private bool _lastWasNoMsg;

    private static TimeSpan Now => Stopwatch.GetElapsedTime(0L);

    /// <summary>What is left of the innermost Within.</summary>
    public TimeSpan Remaining => _end is { } end ? Positive(end - Now) : throw new InvalidOperationException(@"Remaining may not be called outside of ""Within""");

    /// <summary>What is left of the innermost Within; outside of one the default of a single Expect.</summary>
    public TimeSpan RemainingOrDefault => RemainingOr(Dilated(TestKitSettings.SingleExpectDefault));

    protected TimeSpan RemainingOr(TimeSpan duration) => _end is { } end ? Positive(end - Now) : duration;

    /// <summary>The time stretched by <c>akka.test.timefactor</c>.</summary>
    public TimeSpan Dilated(TimeSpan duration) => duration * TestKitSettings.TestTimeFactor;

    protected TimeSpan RemainingOrDilated(TimeSpan? duration) => duration switch
    {
        null => RemainingOrDefault,
        { } d when d < TimeSpan.Zero => throw new ArgumentException("The time to wait must be finite and not negative", nameof(duration)),
        { } d => Dilated(d),
    };

    private static TimeSpan Positive(TimeSpan time) => time < TimeSpan.Zero ? TimeSpan.Zero : time;

    /// <summary>Runs the block, and fails if it takes longer than the time. Waits inside it are limited by what is left.</summary>
    public void Within(TimeSpan max, Action action) => Within(TimeSpan.Zero, max, action);

    public void Within(TimeSpan min, TimeSpan max, Action action, string? hint = null) => Within(min, max, () =>
    {
        action();
        return true;
    }, hint);

    public T Within<T>(TimeSpan max, Func<T> function) => Within(TimeSpan.Zero, max, function);

    public T Within<T>(TimeSpan min, TimeSpan max, Func<T> function, string? hint = null) =>
        WithinCoreAsync(min, max, () => Task.FromResult(function()), hint).GetAwaiter().GetResult();

    public Task WithinAsync(TimeSpan max, Func<Task> actionAsync) => WithinAsync(TimeSpan.Zero, max, actionAsync);

    public Task WithinAsync(TimeSpan min, TimeSpan max, Func<Task> actionAsync, string? hint = null) => WithinCoreAsync(min, max, async () =>
    {
        await actionAsync();
        return true;
    }, hint);

    public Task<T> WithinAsync<T>(TimeSpan max, Func<Task<T>> function) => WithinCoreAsync(TimeSpan.Zero, max, function, null);

    public Task<T> WithinAsync<T>(TimeSpan min, TimeSpan max, Func<Task<T>> function, string? hint = null) => WithinCoreAsync(min, max, function, hint);

    private async Task<T> WithinCoreAsync<T>(TimeSpan min, TimeSpan max, Func<Task<T>> function, string? hint)
    {
        var dilated = Dilated(max);
        var (start, left) = (Now, RemainingOr(dilated));
        if (left < min) throw Failure($"Required min time {min} not possible, only {left} left. {hint}");
        _lastWasNoMsg = false;
        var limit = left < dilated ? left : dilated;
        var previousEnd = _end;
        _end = start + limit;
        T result;
        try
        {
            result = await function();
        }
        finally
        {
            _end = previousEnd;
        }
        var took = Now - start;
        if (took < min) throw Failure($"Block took {took}, should have at least been {min}. {hint}");
        // Waiting for silence takes all the time there is.
        if (!_lastWasNoMsg && took > limit) throw Failure($"Block took {took}, exceeding {limit}. {hint}");
        return result;
    }

    private static XunitException Failure(string message) => new(message.TrimEnd());
}
