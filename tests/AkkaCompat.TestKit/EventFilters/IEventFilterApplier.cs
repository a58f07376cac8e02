using Akka.Actor;

namespace Akka.TestKit;

/// <summary>Runs something while looking for events of the log. Events that match are not printed.</summary>
/// <remarks>Each Expect waits up to <c>akka.test.filter-leeway</c> for the number of events, and fails if it is not exactly that.</remarks>
public interface IEventFilterApplier
{
    /// <summary>Adds another filter: events that match either count.</summary>
    EventFilterFactory And { get; }

    void ExpectOne(Action action, CancellationToken cancellationToken = default);
    void ExpectOne(TimeSpan timeout, Action action, CancellationToken cancellationToken = default);
    void Expect(int expectedCount, Action action, CancellationToken cancellationToken = default);
    void Expect(int expectedCount, TimeSpan timeout, Action action, CancellationToken cancellationToken = default);
    T ExpectOne<T>(Func<T> func, CancellationToken cancellationToken = default);
    T Expect<T>(int expectedCount, Func<T> func, CancellationToken cancellationToken = default);

    Task ExpectOneAsync(Action action, CancellationToken cancellationToken = default);
    Task ExpectOneAsync(Func<Task> actionAsync, CancellationToken cancellationToken = default);
    Task ExpectOneAsync(TimeSpan timeout, Func<Task> actionAsync, CancellationToken cancellationToken = default);
    Task ExpectAsync(int expectedCount, Action action, CancellationToken cancellationToken = default);
    Task ExpectAsync(int expectedCount, Func<Task> actionAsync, CancellationToken cancellationToken = default);
    Task ExpectAsync(int expectedCount, TimeSpan timeout, Func<Task> actionAsync, CancellationToken cancellationToken = default);
    Task<T> ExpectOneAsync<T>(Func<Task<T>> func, CancellationToken cancellationToken = default);
    Task<T> ExpectAsync<T>(int expectedCount, Func<Task<T>> func, CancellationToken cancellationToken = default);

    void Mute(Action action, CancellationToken cancellationToken = default);
    T Mute<T>(Func<T> func, CancellationToken cancellationToken = default);
    Task MuteAsync(Func<Task> action, CancellationToken cancellationToken = default);

    /// <summary>Mutes until the answer is disposed of.</summary>
    IUnmutableFilter Mute();
}

/// <summary>A filter that mutes until it is disposed of.</summary>
public interface IUnmutableFilter : IDisposable
{
    void Unmute();
}
