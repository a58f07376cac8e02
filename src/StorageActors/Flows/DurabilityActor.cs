using Akka.Actor;
using StorageActors.Dispatching;
using StorageActors.DriverOperations;
using StorageActors.Protocol;

namespace StorageActors.Flows;

/// <summary>
/// Makes staged content durable: one sync of the file system for all who wait when it starts. Who comes while it runs waits for the next one, since his last
/// writes may have come too late for this one.
/// </summary>
internal sealed class DurabilityActor : ReceiveActor
{
    private readonly IActorRef _operations;
    private List<(IActorRef From, TicketId? Ticket)> _waiting = [];
    private List<(IActorRef From, TicketId? Ticket)> _syncing = [];
    private long _attempt;

    public DurabilityActor(IActorRef operations)
    {
        _operations = operations;
        Receive<Sync>(command =>
        {
            _waiting.Add((Sender, command.Ticket));
            if (_syncing.Count == 0) Start();
        });
        Receive<DriverProtocol.IReply>(Answer, reply => reply.Attempt == _attempt);
    }

    internal static Props Props(IActorRef operations) => EngineProps.Of(() => new DurabilityActor(operations));

    private void Start()
    {
        (_syncing, _waiting) = (_waiting, []);
        _attempt = DriverProtocol.NextAttempt();
        _operations.Tell(new DriverProtocol.Perform(_attempt, new SyncContent([.. _syncing.Where(static one => one.Ticket is not null).Select(static one => one.Ticket!.Value)])));
    }

    private void Answer(DriverProtocol.IReply reply)
    {
        object answer = reply is DriverProtocol.Failed failed ? new StoreProtocol.Refused(failed.Error) : new Synced();
        foreach (var (from, _) in _syncing) from.Tell(answer);
        _syncing = [];
        if (_waiting.Count > 0) Start();
    }

    /// <summary>Asks for all that was written so far to be on disk. Answers <see cref="Synced"/> or <see cref="StoreProtocol.Refused"/>.</summary>
    /// <param name="Ticket">A staging that was begun before the first of it was written: an error since then is reported.</param>
    internal sealed record Sync(TicketId? Ticket);

    /// <summary>It is on disk.</summary>
    internal sealed record Synced;
}
