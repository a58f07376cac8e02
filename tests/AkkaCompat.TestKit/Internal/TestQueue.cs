using System.Collections.Concurrent;

namespace Akka.TestKit.Internal;

/// <summary>The messages the test actor received and the test has not taken yet.</summary>
/// <remarks>Every wait is either a blocking one or an awaited one; a blocking test needs no other thread to go on.</remarks>
internal sealed class TestQueue
{
    private readonly ConcurrentQueue<MessageEnvelope> _messages = new();
    private readonly SemaphoreSlim _count = new(0);

    public int Count => _messages.Count;

    public void Add(MessageEnvelope envelope)
    {
        _messages.Enqueue(envelope);
        _count.Release();
    }

    public async ValueTask<MessageEnvelope?> TakeAsync(TimeSpan max, bool block, CancellationToken cancellation)
    {
        var taken = block ? _count.Wait(max, cancellation) : await _count.WaitAsync(max, cancellation);
        return taken && _messages.TryDequeue(out var envelope) ? envelope : null;
    }

    /// <summary>Like taking, but the message stays the next one.</summary>
    public async ValueTask<MessageEnvelope?> PeekAsync(TimeSpan max, bool block, CancellationToken cancellation)
    {
        var there = block ? _count.Wait(max, cancellation) : await _count.WaitAsync(max, cancellation);
        if (!there) return null;
        _count.Release();
        return _messages.TryPeek(out var envelope) ? envelope : null;
    }
}
