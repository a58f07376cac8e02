namespace Akka.TestKit;

public abstract partial class TestKitBase
{
    private static readonly TimeSpan DefaultInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>Repeats the assertion until it holds; at the end of the time its last failure is thrown.</summary>
    public void AwaitAssert(Action assertion, TimeSpan? duration = null, TimeSpan? interval = null, CancellationToken cancellationToken = default) =>
        AwaitAssertCoreAsync(Completed(assertion), duration, interval, block: true, cancellationToken).GetAwaiter().GetResult();

    public Task AwaitAssertAsync(Action assertion, TimeSpan? duration = null, TimeSpan? interval = null, CancellationToken cancellationToken = default) =>
        AwaitAssertCoreAsync(Completed(assertion), duration, interval, block: false, cancellationToken);

    public Task AwaitAssertAsync(Func<Task> assertion, TimeSpan? duration = null, TimeSpan? interval = null, CancellationToken cancellationToken = default) =>
        AwaitAssertCoreAsync(assertion, duration, interval, block: false, cancellationToken);

    /// <summary>Waits until the condition holds, or fails.</summary>
    public void AwaitCondition(Func<bool> conditionIsFulfilled, CancellationToken cancellationToken = default) =>
        AwaitCondition(conditionIsFulfilled, null, null, null, cancellationToken);

    public void AwaitCondition(Func<bool> conditionIsFulfilled, TimeSpan? max, CancellationToken cancellationToken = default) =>
        AwaitCondition(conditionIsFulfilled, max, null, null, cancellationToken);

    public void AwaitCondition(Func<bool> conditionIsFulfilled, TimeSpan? max, string? message, CancellationToken cancellationToken = default) =>
        AwaitCondition(conditionIsFulfilled, max, null, message, cancellationToken);

    public void AwaitCondition(
        Func<bool> conditionIsFulfilled, TimeSpan? max, TimeSpan? interval, string? message = null, CancellationToken cancellationToken = default) =>
        ConditionAsync(Completed(conditionIsFulfilled), max, interval, message, block: true, cancellationToken).GetAwaiter().GetResult();

    public Task AwaitConditionAsync(Func<bool> conditionIsFulfilled, CancellationToken cancellationToken = default) =>
        AwaitConditionAsync(Completed(conditionIsFulfilled), null, null, null, cancellationToken);

    public Task AwaitConditionAsync(
        Func<bool> conditionIsFulfilled, TimeSpan? max, TimeSpan? interval = null, string? message = null, CancellationToken cancellationToken = default) =>
        AwaitConditionAsync(Completed(conditionIsFulfilled), max, interval, message, cancellationToken);

    public Task AwaitConditionAsync(Func<Task<bool>> conditionIsFulfilled, CancellationToken cancellationToken = default) =>
        AwaitConditionAsync(conditionIsFulfilled, null, null, null, cancellationToken);

    public Task AwaitConditionAsync(
        Func<Task<bool>> conditionIsFulfilled, TimeSpan? max, TimeSpan? interval = null, string? message = null, CancellationToken cancellationToken = default) =>
        ConditionAsync(conditionIsFulfilled, max, interval, message, block: false, cancellationToken);

    /// <summary>Waits until the condition holds; false if it does not in time.</summary>
    public bool AwaitConditionNoThrow(Func<bool> conditionIsFulfilled, TimeSpan max, TimeSpan? interval = null, CancellationToken cancellationToken = default) =>
        PollAsync(Completed(conditionIsFulfilled), max, interval, block: true, cancellationToken).GetAwaiter().GetResult();

    public Task<bool> AwaitConditionNoThrowAsync(
        Func<Task<bool>> conditionIsFulfilled, TimeSpan max, TimeSpan? interval = null, CancellationToken cancellationToken = default) =>
        PollAsync(conditionIsFulfilled, max, interval, block: false, cancellationToken);

    internal static async Task<bool> PollAsync(
        Func<Task<bool>> condition, TimeSpan max, TimeSpan? interval, bool block, CancellationToken cancellation)
    {
        for (var end = Now + max; ;)
        {
            if (await condition()) return true;
            var left = end - Now;
            if (left <= TimeSpan.Zero) return false;
            await PauseAsync(Shorter(interval ?? Shorter(DefaultInterval, max / 10), left), block, cancellation);
        }
    }

    private async Task ConditionAsync(
        Func<Task<bool>> condition, TimeSpan? max, TimeSpan? interval, string? message, bool block, CancellationToken cancellation)
    {
        var limit = RemainingOrDilated(max);
        if (!await PollAsync(condition, limit, interval, block, cancellation))
            throw Failure($"Timeout ({limit}) expired while waiting for condition. {message}");
    }

    private async Task AwaitAssertCoreAsync(Func<Task> assertion, TimeSpan? duration, TimeSpan? interval, bool block, CancellationToken cancellation)
    {
        for (var end = Now + RemainingOrDilated(duration); ;)
        {
            var pause = interval ?? DefaultInterval;
            try
            {
                await assertion();
                return;
            }
            catch (Exception) when (Now + pause < end)
            {
                // It has another chance.
            }
            await PauseAsync(pause, block, cancellation);
        }
    }

    private static async ValueTask PauseAsync(TimeSpan time, bool block, CancellationToken cancellation)
    {
        if (!block)
        {
            await Task.Delay(time, cancellation);
            return;
        }
        using var never = new ManualResetEventSlim();
        never.Wait(time, cancellation);
    }

    private static TimeSpan Shorter(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static Func<Task> Completed(Action action) => () =>
    {
        action();
        return Task.CompletedTask;
    };

    private static Func<Task<bool>> Completed(Func<bool> condition) => () => Task.FromResult(condition());
}
