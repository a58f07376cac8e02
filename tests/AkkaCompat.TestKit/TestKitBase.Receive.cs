using System.Runtime.CompilerServices;

namespace Akka.TestKit;

public abstract partial class TestKitBase
{
    /// <summary>The next message; null if none comes in time.</summary>
    public object? ReceiveOne(TimeSpan? max = null, CancellationToken cancellationToken = default) =>
        TakeAsync(max is null ? RemainingOrDefault : Dilated(max.Value), block: true, cancellationToken).GetAwaiter().GetResult()?.Message;

    public async ValueTask<object?> ReceiveOneAsync(TimeSpan? max = null, CancellationToken cancellationToken = default) =>
        (await TakeAsync(max is null ? RemainingOrDefault : Dilated(max.Value), block: false, cancellationToken))?.Message;

    /// <summary>The next message, which stays the next; null if none comes in time.</summary>
    public object? PeekOne(TimeSpan? max = null, CancellationToken cancellationToken = default) =>
        _queue.PeekAsync(RemainingOrDilated(max), block: true, cancellationToken).GetAwaiter().GetResult()?.Message;

    public async ValueTask<object?> PeekOneAsync(TimeSpan? max = null, CancellationToken cancellationToken = default) =>
        (await _queue.PeekAsync(RemainingOrDilated(max), block: false, cancellationToken))?.Message;

    /// <summary>That many messages, or failure.</summary>
    public IReadOnlyCollection<object> ReceiveN(int numberOfMessages, CancellationToken cancellationToken = default) =>
        ReceiveNCoreAsync(numberOfMessages, RemainingOrDefault, block: true, cancellationToken).GetAwaiter().GetResult();

    public IReadOnlyCollection<object> ReceiveN(int numberOfMessages, TimeSpan max, CancellationToken cancellationToken = default) =>
        ReceiveNCoreAsync(numberOfMessages, Dilated(max), block: true, cancellationToken).GetAwaiter().GetResult();

    public IAsyncEnumerable<object> ReceiveNAsync(int numberOfMessages, CancellationToken cancellationToken = default) =>
        ReceiveNAsync(numberOfMessages, RemainingOrDefault / TestKitSettings.TestTimeFactor, cancellationToken);

    public async IAsyncEnumerable<object> ReceiveNAsync(
        int numberOfMessages, TimeSpan max, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (var message in await ReceiveNCoreAsync(numberOfMessages, Dilated(max), block: false, cancellationToken)) yield return message;
    }

    /// <summary>Messages for as long as the filter returns something for the next.</summary>
    public IReadOnlyList<T> ReceiveWhile<T>(
        TimeSpan? max, Func<object, T?> filter, int msgs = int.MaxValue, CancellationToken cancellationToken = default) where T : class =>
        ReceiveWhile(filter, max, null, msgs, false, cancellationToken);

    public IReadOnlyList<T> ReceiveWhile<T>(
        Func<object, T?> filter, TimeSpan? max = null, TimeSpan? idle = null, int msgs = int.MaxValue,
        bool shouldIgnoreOtherMessageTypes = false, CancellationToken cancellationToken = default) where T : class =>
        ReceiveWhileCoreAsync<T>(m => (filter(m) is { } t, filter(m)!, m is not T && shouldIgnoreOtherMessageTypes),
            max, idle, msgs, block: true, cancellationToken).GetAwaiter().GetResult();

    public IReadOnlyList<T> ReceiveWhile<T>(
        Predicate<T> shouldContinue, TimeSpan? max = null, TimeSpan? idle = null, int msgs = int.MaxValue,
        bool shouldIgnoreOtherMessageTypes = true, CancellationToken cancellationToken = default) where T : class =>
        ReceiveWhileCoreAsync<T>(m => (m is T t && shouldContinue(t), (m as T)!, m is not T && shouldIgnoreOtherMessageTypes),
            max, idle, msgs, block: true, cancellationToken).GetAwaiter().GetResult();

    /// <summary>Skips messages until one that the predicate takes.</summary>
    public T FishForMessage<T>(Predicate<T> isMessage, TimeSpan? max = null, string hint = "", CancellationToken cancellationToken = default) =>
        FishCoreAsync(isMessage, max, hint, block: true, cancellationToken).GetAwaiter().GetResult();

    public object FishForMessage(Predicate<object> isMessage, TimeSpan? max = null, string hint = "", CancellationToken cancellationToken = default) =>
        FishForMessage<object>(isMessage, max, hint, cancellationToken);

    public ValueTask<T> FishForMessageAsync<T>(
        Predicate<T> isMessage, TimeSpan? max = null, string hint = "", CancellationToken cancellationToken = default) =>
        FishCoreAsync(isMessage, max, hint, block: false, cancellationToken);

    public ValueTask<object> FishForMessageAsync(
        Predicate<object> isMessage, TimeSpan? max = null, string hint = "", CancellationToken cancellationToken = default) =>
        FishCoreAsync(isMessage, max, hint, block: false, cancellationToken);

    private async ValueTask<MessageEnvelope?> TakeAsync(TimeSpan max, bool block, CancellationToken cancellation)
    {
        var envelope = await _queue.TakeAsync(max, block, cancellation);
        _lastWasNoMsg = false;
        _last = envelope ?? NullMessageEnvelope.Instance;
        return envelope;
    }

    private async ValueTask<List<object>> ReceiveNCoreAsync(int count, TimeSpan max, bool block, CancellationToken cancellation)
    {
        var messages = new List<object>();
        for (var end = Now + max; messages.Count < count;)
        {
            var envelope = await TakeAsync(Positive(end - Now), block, cancellation)
                ?? throw Failure($"Timeout ({max}) while expecting {count} messages. Only got {messages.Count} after {max}. {List(messages)}");
            messages.Add(envelope.Message!);
        }
        return messages;
    }

    private async ValueTask<List<T>> ReceiveWhileCoreAsync<T>(
        Func<object, (bool Take, T Value, bool Ignore)> filter, TimeSpan? max, TimeSpan? idle, int count, bool block, CancellationToken cancellation)
    {
        var messages = new List<T>();
        for (var end = Now + RemainingOrDilated(max); messages.Count < count;)
        {
            var left = Positive(end - Now);
            var wait = idle is { } i && i < left ? i : left;
            var next = await _queue.PeekAsync(wait, block, cancellation);
            if (next is null) break;
            var (take, value, ignore) = filter(next.Message!);
            if (!take && !ignore) break;   // it stays the next message
            await TakeAsync(TimeSpan.Zero, block, cancellation);
            if (take) messages.Add(value);
        }
        _lastWasNoMsg = true;
        return messages;
    }

    private async ValueTask<T> FishCoreAsync<T>(Predicate<T> isMessage, TimeSpan? max, string hint, bool block, CancellationToken cancellation)
    {
        var limit = RemainingOrDilated(max);
        var skipped = new List<object>();
        for (var end = Now + limit; ;)
        {
            var envelope = await TakeAsync(Positive(end - Now), block, cancellation)
                ?? throw Failure($"Timeout ({limit}) during FishForMessage of type {typeof(T)}. {hint} {List(skipped)}");
            if (envelope.Message is T message && isMessage(message)) return message;
            skipped.Add(envelope.Message!);
        }
    }

    private static string List(List<object> messages) =>
        messages.Count == 0 ? "No messages were received." : "Received: " + string.Join(", ", messages.Select(m => $"[{m}]"));
}
