using System.Runtime.CompilerServices;
using Akka.Actor;
using Xunit;

namespace Akka.TestKit;

public abstract partial class TestKitBase
{
    private delegate void Check<in T>(T message, IActorRef sender);

    public T ExpectMsg<T>(TimeSpan? duration = null, string? hint = null, CancellationToken cancellationToken = default) =>
        Expect<T>(duration, null, hint, cancellationToken);

    public T ExpectMsg<T>(T message, TimeSpan? timeout = null, string? hint = null, CancellationToken cancellationToken = default) =>
        Expect(timeout, IsEqual(message), hint, cancellationToken);

    public T ExpectMsg<T>(T expected, Func<T, T, bool> comparer, TimeSpan? timeout = null, string? hint = null, CancellationToken cancellationToken = default) =>
        Expect(timeout, Satisfies<T>((m, _) => comparer(expected, m), hint), hint, cancellationToken);

    public T ExpectMsg<T>(Predicate<T> isMessage, TimeSpan? timeout = null, string? hint = null, CancellationToken cancellationToken = default) =>
        Expect(timeout, Satisfies<T>((m, _) => isMessage(m), hint), hint, cancellationToken);

    public T ExpectMsg<T>(Func<T, IActorRef, bool> isMessageAndSender, TimeSpan? timeout = null, string? hint = null, CancellationToken cancellationToken = default) =>
        Expect(timeout, Satisfies(isMessageAndSender, hint), hint, cancellationToken);

    public T ExpectMsg<T>(Action<T> assert, TimeSpan? timeout = null, string? hint = null, CancellationToken cancellationToken = default) =>
        Expect<T>(timeout, (m, _) => assert(m), hint, cancellationToken);

    public T ExpectMsg<T>(Action<T, IActorRef> assertMessageAndSender, TimeSpan? timeout = null, string? hint = null, CancellationToken cancellationToken = default) =>
        Expect<T>(timeout, (m, s) => assertMessageAndSender(m, s), hint, cancellationToken);

    public ValueTask<T> ExpectMsgAsync<T>(TimeSpan? duration = null, string? hint = null, CancellationToken cancellationToken = default) =>
        ExpectAsync<T>(duration, null, hint, block: false, cancellationToken);

    public ValueTask<T> ExpectMsgAsync<T>(T message, TimeSpan? timeout = null, string? hint = null, CancellationToken cancellationToken = default) =>
        ExpectAsync(timeout, IsEqual(message), hint, block: false, cancellationToken);

    public ValueTask<T> ExpectMsgAsync<T>(T expected, Func<T, T, bool> comparer, TimeSpan? timeout = null, string? hint = null, CancellationToken cancellationToken = default) =>
        ExpectAsync(timeout, Satisfies<T>((m, _) => comparer(expected, m), hint), hint, block: false, cancellationToken);

    public ValueTask<T> ExpectMsgAsync<T>(Predicate<T> isMessage, TimeSpan? timeout = null, string? hint = null, CancellationToken cancellationToken = default) =>
        ExpectAsync(timeout, Satisfies<T>((m, _) => isMessage(m), hint), hint, block: false, cancellationToken);

    public ValueTask<T> ExpectMsgAsync<T>(Func<T, IActorRef, bool> isMessageAndSender, TimeSpan? timeout = null, string? hint = null, CancellationToken cancellationToken = default) =>
        ExpectAsync(timeout, Satisfies(isMessageAndSender, hint), hint, block: false, cancellationToken);

    public ValueTask<T> ExpectMsgAsync<T>(Action<T> assert, TimeSpan? timeout = null, string? hint = null, CancellationToken cancellationToken = default) =>
        ExpectAsync<T>(timeout, (m, _) => assert(m), hint, block: false, cancellationToken);

    public ValueTask<T> ExpectMsgAsync<T>(Action<T, IActorRef> assertMessageAndSender, TimeSpan? timeout = null, string? hint = null, CancellationToken cancellationToken = default) =>
        ExpectAsync<T>(timeout, (m, s) => assertMessageAndSender(m, s), hint, block: false, cancellationToken);

    public T ExpectMsgFrom<T>(IActorRef sender, TimeSpan? duration = null, string? hint = null, CancellationToken cancellationToken = default) =>
        Expect<T>(duration, (_, s) => AssertFrom(sender, s), hint, cancellationToken);

    public T ExpectMsgFrom<T>(IActorRef sender, T message, TimeSpan? timeout = null, string? hint = null, CancellationToken cancellationToken = default) =>
        Expect(timeout, From(sender, IsEqual(message)), hint, cancellationToken);

    public T ExpectMsgFrom<T>(IActorRef sender, Predicate<T> isMessage, TimeSpan? timeout = null, string? hint = null, CancellationToken cancellationToken = default) =>
        Expect(timeout, From(sender, Satisfies<T>((m, _) => isMessage(m), hint)), hint, cancellationToken);

    public ValueTask<T> ExpectMsgFromAsync<T>(IActorRef sender, TimeSpan? duration = null, string? hint = null, CancellationToken cancellationToken = default) =>
        ExpectAsync<T>(duration, (_, s) => AssertFrom(sender, s), hint, block: false, cancellationToken);

    public ValueTask<T> ExpectMsgFromAsync<T>(IActorRef sender, T message, TimeSpan? timeout = null, string? hint = null, CancellationToken cancellationToken = default) =>
        ExpectAsync(timeout, From(sender, IsEqual(message)), hint, block: false, cancellationToken);

    public ValueTask<T> ExpectMsgFromAsync<T>(IActorRef sender, Predicate<T> isMessage, TimeSpan? timeout = null, string? hint = null, CancellationToken cancellationToken = default) =>
        ExpectAsync(timeout, From(sender, Satisfies<T>((m, _) => isMessage(m), hint)), hint, block: false, cancellationToken);

    public Terminated ExpectTerminated(IActorRef target, TimeSpan? timeout = null, string? hint = null, CancellationToken cancellationToken = default) =>
        Expect<Terminated>(timeout, (m, _) => Assert.Equal(target, m.ActorRef), hint, cancellationToken);

    public ValueTask<Terminated> ExpectTerminatedAsync(IActorRef target, TimeSpan? timeout = null, string? hint = null, CancellationToken cancellationToken = default) =>
        ExpectAsync<Terminated>(timeout, (m, _) => Assert.Equal(target, m.ActorRef), hint, block: false, cancellationToken);

    /// <summary>Fails if a message comes in the default time of one Expect, or in what is left of Within.</summary>
    public void ExpectNoMsg(CancellationToken cancellationToken = default) =>
        ExpectNothingAsync(RemainingOrDefault, block: true, cancellationToken).GetAwaiter().GetResult();

    public void ExpectNoMsg(TimeSpan duration, CancellationToken cancellationToken = default) =>
        ExpectNothingAsync(Dilated(duration), block: true, cancellationToken).GetAwaiter().GetResult();

    public void ExpectNoMsg(int milliseconds, CancellationToken cancellationToken = default) =>
        ExpectNothingAsync(TimeSpan.FromMilliseconds(milliseconds), block: true, cancellationToken).GetAwaiter().GetResult();

    public ValueTask ExpectNoMsgAsync(CancellationToken cancellationToken = default) =>
        ExpectNothingAsync(RemainingOrDefault, block: false, cancellationToken);

    public ValueTask ExpectNoMsgAsync(TimeSpan duration, CancellationToken cancellationToken = default) =>
        ExpectNothingAsync(Dilated(duration), block: false, cancellationToken);

    public ValueTask ExpectNoMsgAsync(int milliseconds, CancellationToken cancellationToken = default) =>
        ExpectNothingAsync(TimeSpan.FromMilliseconds(milliseconds), block: false, cancellationToken);

    public T ExpectMsgAnyOf<T>(params T[] messages) => ExpectMsgAnyOf(messages, CancellationToken.None);

    public T ExpectMsgAnyOf<T>(IEnumerable<T> messages, CancellationToken cancellationToken = default) =>
        Expect(null, IsAnyOf(messages), null, cancellationToken);

    public ValueTask<T> ExpectMsgAnyOfAsync<T>(IEnumerable<T> messages, CancellationToken cancellationToken = default) =>
        ExpectAsync(null, IsAnyOf(messages), null, block: false, cancellationToken);

    /// <summary>As many messages as are given, equal to them in any order.</summary>
    public IReadOnlyCollection<T> ExpectMsgAllOf<T>(params T[] messages) => ExpectMsgAllOf(messages, CancellationToken.None);

    public IReadOnlyCollection<T> ExpectMsgAllOf<T>(IReadOnlyCollection<T> messages, CancellationToken cancellationToken = default) =>
        AllOfAsync(messages, RemainingOrDefault, block: true, cancellationToken).GetAwaiter().GetResult();

    public IReadOnlyCollection<T> ExpectMsgAllOf<T>(TimeSpan max, params T[] messages) =>
        AllOfAsync(messages, Dilated(max), block: true, CancellationToken.None).GetAwaiter().GetResult();

    public async IAsyncEnumerable<T> ExpectMsgAllOfAsync<T>(
        IReadOnlyCollection<T> messages, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (var message in await AllOfAsync(messages, RemainingOrDefault, block: false, cancellationToken)) yield return message;
    }

    private T Expect<T>(TimeSpan? timeout, Check<T>? check, string? hint, CancellationToken cancellation) =>
        ExpectAsync(timeout, check, hint, block: true, cancellation).GetAwaiter().GetResult();

    private async ValueTask<T> ExpectAsync<T>(TimeSpan? timeout, Check<T>? check, string? hint, bool block, CancellationToken cancellation)
    {
        var max = RemainingOrDilated(timeout);
        var envelope = await TakeAsync(max, block, cancellation)
            ?? throw Failure($"Failed: Timeout {max} while waiting for a message of type {typeof(T)} {hint}");
        if (envelope.Message is not T message)
            throw Failure($"Failed: Expected a message of type {typeof(T)}, but received {{{envelope.Message}}} (type {envelope.Message?.GetType()}) instead from {envelope.Sender} {hint}");
        check?.Invoke(message, envelope.Sender!);
        return message;
    }

    private async ValueTask ExpectNothingAsync(TimeSpan duration, bool block, CancellationToken cancellation)
    {
        var envelope = await TakeAsync(duration, block, cancellation);
        if (envelope is not null) throw Failure($"Failed: Expected no messages during {duration}, instead we received {envelope}");
        _lastWasNoMsg = true;
    }

    private async ValueTask<IReadOnlyCollection<T>> AllOfAsync<T>(IReadOnlyCollection<T> messages, TimeSpan max, bool block, CancellationToken cancellation)
    {
        var received = await ReceiveNCoreAsync(messages.Count, max, block, cancellation);
        var missing = new List<T>(messages);
        var unexpected = received.Where(m => m is not T typed || !missing.Remove(typed)).ToList();
        if (missing.Count > 0) throw Failure($"not found [{string.Join(", ", missing)}], found unexpected [{string.Join(", ", unexpected)}]");
        return received.Cast<T>().ToList();
    }

    private static Check<T> IsEqual<T>(T expected) => (actual, _) => Assert.Equal(expected, actual);

    private static Check<T> Satisfies<T>(Func<T, IActorRef, bool> predicate, string? hint) => (message, sender) =>
    {
        if (!predicate(message, sender)) throw Failure($"Failed: Got a message of the expected type <{typeof(T)}>, but it is not the expected one: {{{message}}} from {sender} {hint}");
    };

    private static Check<T> IsAnyOf<T>(IEnumerable<T> messages) => (message, _) => Assert.Contains(message, messages);

    private static Check<T> From<T>(IActorRef expected, Check<T> check) => (message, sender) =>
    {
        AssertFrom(expected, sender);
        check(message, sender);
    };

    private static void AssertFrom(IActorRef expected, IActorRef actual)
    {
        if (!expected.Equals(actual)) throw Failure($"Sender does not match. Got a message from sender {actual}. But expected {expected}");
    }
}
