using Akka.TestKit.Internal;
using Xunit.Sdk;

namespace Akka.TestKit;

internal sealed class EventFilterApplier(TestKitBase testKit, EventFilterBase[] filters) : IEventFilterApplier
{
    public EventFilterFactory And => new(testKit, filters);

    public void ExpectOne(Action action, CancellationToken cancellationToken = default) => Expect(1, action, cancellationToken);

    public void ExpectOne(TimeSpan timeout, Action action, CancellationToken cancellationToken = default) =>
        Expect(1, timeout, action, cancellationToken);

    public void Expect(int expectedCount, Action action, CancellationToken cancellationToken = default) =>
        Expect(expectedCount, Leeway, action, cancellationToken);

    public void Expect(int expectedCount, TimeSpan timeout, Action action, CancellationToken cancellationToken = default) =>
        RunAsync(expectedCount, timeout, Completed(action), block: true, cancellationToken).GetAwaiter().GetResult();

    public T ExpectOne<T>(Func<T> func, CancellationToken cancellationToken = default) => Expect(1, func, cancellationToken);

    public T Expect<T>(int expectedCount, Func<T> func, CancellationToken cancellationToken = default) =>
        RunAsync(expectedCount, Leeway, () => Task.FromResult(func()), block: true, cancellationToken).GetAwaiter().GetResult();

    public Task ExpectOneAsync(Action action, CancellationToken cancellationToken = default) => ExpectAsync(1, action, cancellationToken);

    public Task ExpectOneAsync(Func<Task> actionAsync, CancellationToken cancellationToken = default) =>
        ExpectAsync(1, actionAsync, cancellationToken);

    public Task ExpectOneAsync(TimeSpan timeout, Func<Task> actionAsync, CancellationToken cancellationToken = default) =>
        ExpectAsync(1, timeout, actionAsync, cancellationToken);

    public Task ExpectAsync(int expectedCount, Action action, CancellationToken cancellationToken = default) =>
        RunAsync(expectedCount, Leeway, Completed(action), block: false, cancellationToken);

    public Task ExpectAsync(int expectedCount, Func<Task> actionAsync, CancellationToken cancellationToken = default) =>
        ExpectAsync(expectedCount, Leeway, actionAsync, cancellationToken);

    public Task ExpectAsync(int expectedCount, TimeSpan timeout, Func<Task> actionAsync, CancellationToken cancellationToken = default) =>
        RunAsync(expectedCount, timeout, Completed(actionAsync), block: false, cancellationToken);

    public Task<T> ExpectOneAsync<T>(Func<Task<T>> func, CancellationToken cancellationToken = default) => ExpectAsync(1, func, cancellationToken);

    public Task<T> ExpectAsync<T>(int expectedCount, Func<Task<T>> func, CancellationToken cancellationToken = default) =>
        RunAsync(expectedCount, Leeway, func, block: false, cancellationToken);

    public void Mute(Action action, CancellationToken cancellationToken = default)
    {
        using var muted = Mute();
        action();
    }

    public T Mute<T>(Func<T> func, CancellationToken cancellationToken = default)
    {
        using var muted = Mute();
        return func();
    }

    public async Task MuteAsync(Func<Task> action, CancellationToken cancellationToken = default)
    {
        using var muted = Mute();
        await action();
    }

    public IUnmutableFilter Mute()
    {
        testKit.Sys.EventStream.Publish(new Mute(filters));
        return new Muted(testKit, filters);
    }

    private TimeSpan Leeway => testKit.TestKitSettings.TestEventFilterLeeway;

    private async Task<T> RunAsync<T>(int expected, TimeSpan timeout, Func<Task<T>> action, bool block, CancellationToken cancellation)
    {
        var before = filters.Sum(f => f.Count);
        int Matched() => filters.Sum(f => f.Count) - before;

        using var muted = Mute();
        var result = await action();
        // With zero expected there is no end to wait for but the time's.
        await TestKitBase.PollAsync(
            () => Task.FromResult(expected > 0 ? Matched() >= expected : Matched() > 0), testKit.Dilated(timeout), TimeSpan.FromMilliseconds(10), block, cancellation);
        var matched = Matched();
        if (matched != expected)
            throw new XunitException($"Expected {expected} matching log events, but {matched} were received within {testKit.Dilated(timeout)}");
        return result;
    }

    private static Func<Task<bool>> Completed(Action action) => () =>
    {
        action();
        return Task.FromResult(true);
    };

    private static Func<Task<bool>> Completed(Func<Task> action) => async () =>
    {
        await action();
        return true;
    };

    private sealed class Muted(TestKitBase testKit, EventFilterBase[] filters) : IUnmutableFilter
    {
        public void Unmute() => testKit.Sys.EventStream.Publish(new Unmute(filters));

        public void Dispose() => Unmute();
    }
}
