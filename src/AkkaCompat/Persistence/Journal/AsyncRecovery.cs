using Akka.Actor;

namespace Akka.Persistence.Journal;

/// <summary>What recovery asks of a journal plugin.</summary>
public interface IAsyncRecovery
{
    /// <summary>Calls back for each stored event of the id, in order of the sequence numbers; both bounds are inclusive.</summary>
    Task ReplayMessagesAsync(
        IActorContext context, string persistenceId, long fromSequenceNr, long toSequenceNr, long max,
        Action<IPersistentRepresentation> recoveryCallback);

    /// <summary>The highest number ever stored for the id, deleted events included; 0 if none.</summary>
    Task<long> ReadHighestSequenceNrAsync(string persistenceId, long fromSequenceNr);
}
