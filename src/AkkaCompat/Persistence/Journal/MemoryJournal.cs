using System.Collections.Concurrent;
using System.Collections.Immutable;
using Akka.Actor;

namespace Akka.Persistence.Journal;

/// <summary>A journal in memory, for tests: it ends with its actor system. Objects are kept as they are, not serialized.</summary>
public class MemoryJournal : AsyncWriteJournal
{
    private sealed class Stream
    {
        public ImmutableList<IPersistentRepresentation> Events = [];
        public long Highest;
    }

    private static readonly Task<IImmutableList<Exception?>?> AllAccepted = Task.FromResult<IImmutableList<Exception?>?>(null);
    private readonly ConcurrentDictionary<string, Stream> _streams = new(StringComparer.Ordinal);

    protected override Task<IImmutableList<Exception?>?> WriteMessagesAsync(IEnumerable<AtomicWrite> messages)
    {
        foreach (var write in messages)
        {
            var stream = _streams.GetOrAdd(write.PersistenceId, _ => new Stream());
            stream.Events = stream.Events.AddRange(write.Events.Select(e =>
                e.Payload is Tagged tagged ? e.WithPayload(tagged.Payload) : e));
            stream.Highest = write.HighestSequenceNr;
        }
        return AllAccepted;
    }

    public override Task<long> ReadHighestSequenceNrAsync(string persistenceId, long fromSequenceNr) =>
        Task.FromResult(_streams.TryGetValue(persistenceId, out var stream) ? stream.Highest : 0L);

    public override Task ReplayMessagesAsync(
        IActorContext context, string persistenceId, long fromSequenceNr, long toSequenceNr, long max,
        Action<IPersistentRepresentation> recoveryCallback)
    {
        if (!_streams.TryGetValue(persistenceId, out var stream)) return Task.CompletedTask;
        var left = max;
        foreach (var e in stream.Events)
        {
            if (e.SequenceNr < fromSequenceNr || e.SequenceNr > toSequenceNr) continue;
            if (left-- <= 0) break;
            recoveryCallback(e);
        }
        return Task.CompletedTask;
    }

    protected override Task DeleteMessagesToAsync(string persistenceId, long toSequenceNr)
    {
        if (_streams.TryGetValue(persistenceId, out var stream))
            stream.Events = stream.Events.RemoveAll(e => e.SequenceNr <= toSequenceNr);
        return Task.CompletedTask;
    }
}
