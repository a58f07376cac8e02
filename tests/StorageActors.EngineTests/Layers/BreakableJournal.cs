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

    public override Task ReplayMessagesAsync(
        IActorContext context, string persistenceId, long fromSequenceNr, long toSequenceNr, long max, Action<IPersistentRepresentation> recoveryCallback) =>
        ReadsFail ? Task.FromException(new IOException("the disk cannot be read"))
            : base.ReplayMessagesAsync(context, persistenceId, fromSequenceNr, toSequenceNr, max, recoveryCallback);

    public override Task<long> ReadHighestSequenceNrAsync(string persistenceId, long fromSequenceNr) =>
        ReadsFail ? Task.FromException<long>(new IOException("the disk cannot be read")) : base.ReadHighestSequenceNrAsync(persistenceId, fromSequenceNr);

    protected override Task<IImmutableList<Exception?>?> WriteMessagesAsync(IEnumerable<AtomicWrite> messages) =>
        WritesFail ? Task.FromException<IImmutableList<Exception?>?>(new IOException("the disk is full")) : base.WriteMessagesAsync(messages);
}
