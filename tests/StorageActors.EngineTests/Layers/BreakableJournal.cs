using System.Collections.Immutable;
using Akka.Actor;
using Akka.Persistence;
using Akka.Persistence.Journal;

namespace StorageActors.EngineTests.Layers;

/// <summary>A journal in memory whose disk fails when a test says so.</summary>
public sealed class BreakableJournal : MemoryJournal
{
    private static volatile bool _writesFail;
    private static volatile bool _readsFail;
    private static volatile TaskCompletionSource? _gate;

    internal static bool WritesFail
    {
        get => _writesFail;
        set => _writesFail = value;
    }

    internal static bool ReadsFail
    {
        get => _readsFail;
        set => _readsFail = value;
    }

    /// <summary>Writes wait here for a test, then succeed or fail as it says.</summary>
    internal static TaskCompletionSource? Gate
    {
        get => _gate;
        set => _gate = value;
    }

    public override Task ReplayMessagesAsync(
        IActorContext context, string persistenceId, long fromSequenceNr, long toSequenceNr, long max, Action<IPersistentRepresentation> recoveryCallback) =>
        ReadsFail ? Task.FromException(new IOException("the disk cannot be read"))
            : base.ReplayMessagesAsync(context, persistenceId, fromSequenceNr, toSequenceNr, max, recoveryCallback);

    public override Task<long> ReadHighestSequenceNrAsync(string persistenceId, long fromSequenceNr) =>
        ReadsFail ? Task.FromException<long>(new IOException("the disk cannot be read")) : base.ReadHighestSequenceNrAsync(persistenceId, fromSequenceNr);

    protected override async Task<IImmutableList<Exception?>?> WriteMessagesAsync(IEnumerable<AtomicWrite> messages)
    {
        if (Gate is { } gate) await gate.Task.ConfigureAwait(false);
        if (WritesFail) throw new IOException("the disk is full");
        return await base.WriteMessagesAsync(messages).ConfigureAwait(false);
    }
}
