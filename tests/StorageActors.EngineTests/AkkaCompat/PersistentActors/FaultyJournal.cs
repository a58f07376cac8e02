using System.Collections.Immutable;
using Akka.Actor;
using Akka.Persistence;
using Akka.Persistence.Journal;

namespace StorageActors.EngineTests.AkkaCompat.PersistentActors;

/// <summary>The journal in memory with faults that events ask for: "fail", "reject", "hold"; and the id "silent" is never answered.</summary>
public sealed class FaultyJournal : MemoryJournal
{
    /// <summary>Ends the hold on all writes.</summary>
    public sealed record Release : INoSerializationVerificationNeeded;

    /// <summary>Published when the id that is never answered has asked.</summary>
    public sealed record Asked;

    private readonly Akka.Event.EventStream _events = Context.System.EventStream;
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

    protected override async Task<IImmutableList<Exception?>?> WriteMessagesAsync(IEnumerable<AtomicWrite> messages)
    {
        var writes = messages.ToList();
        if (writes.Exists(write => Has(write, "fail"))) throw new IOException("the disk is gone");
        if (writes.Exists(write => Has(write, "hold"))) await _released.Task;
        var rejections = writes.Select(write => Has(write, "reject") ? (Exception)new NotSupportedException("not this one") : null).ToList();
        await base.WriteMessagesAsync(writes.Where((_, i) => rejections[i] is null));
        return rejections.ToImmutableList<Exception?>();
    }

    public override Task<long> ReadHighestSequenceNrAsync(string persistenceId, long fromSequenceNr)
    {
        if (persistenceId != "silent") return base.ReadHighestSequenceNrAsync(persistenceId, fromSequenceNr);
        _events.Publish(new Asked());
        return new TaskCompletionSource<long>().Task;
    }

    public override Task ReplayMessagesAsync(
        IActorContext context, string persistenceId, long fromSequenceNr, long toSequenceNr, long max,
        Action<IPersistentRepresentation> recoveryCallback) =>
        persistenceId == "unreadable"
            ? Task.FromException(new IOException("the disk is gone"))
            : base.ReplayMessagesAsync(context, persistenceId, fromSequenceNr, toSequenceNr, max, recoveryCallback);

    protected override bool ReceivePluginInternal(object message)
    {
        if (message is not Release) return base.ReceivePluginInternal(message);
        _released.TrySetResult();
        return true;
    }

    private static bool Has(AtomicWrite write, string payload) =>
        ((IEnumerable<IPersistentRepresentation>)write.Payload).Any(e => Equals(e.Payload, payload));
}
