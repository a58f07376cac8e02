using Akka.Actor;
using StorageActors.Dispatching;
using StorageActors.DriverOperations;
using StorageActors.Protocol;
using StorageActors.Store;
using static StorageActors.Staging.StagingProtocol;

namespace StorageActors.Staging;

/// <summary>Lets extractions in, as many at a time as the settings say, and starts the actor of each.</summary>
internal sealed class StagingsActor : ReceiveActor
{
    private readonly StagingEnvironment _environment;
    private readonly Dictionary<TicketId, (Stage Stage, IActorRef Flow, long Since)> _waiting = [];
    private readonly Dictionary<TicketId, (IActorRef Staging, IActorRef Flow)> _running = [];
    private Admission _admission;

    public StagingsActor(StagingEnvironment environment, int parallelism, int queue)
    {
        (_environment, _admission) = (environment, new Admission(parallelism, queue));
        Receive<Begin>(Begin);
        Receive<TurnOver>(over => Proceed(_admission.Leave(over.Ticket)));
        Receive<End>(End);
        Receive<IForTicket>(Forward);
        Receive<StagingEnded>(Ended);
        Receive<FlowEnded>(ended => Drop(ended.Flow));
    }

    internal static Props Props(StagingEnvironment environment, int parallelism, int queue) =>
        EngineProps.Of(() => new StagingsActor(environment, parallelism, queue));

    /// <summary>A staging that failed in itself ends, and its directory with it: the flow that waits for it is told by its death.</summary>
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(static _ => Directive.Stop);

    private void Begin(Begin command)
    {
        var tickets = command.Layers.Select(static layer => layer.Ticket).ToList();
        if (tickets.FirstOrDefault(ticket => _admission.Knows(ticket) || _running.ContainsKey(ticket)) is { Value: not null } known)
        {
            Refuse(tickets, new StorageError(StorageErrorCode.AlreadyExists, "stage", $"an extraction with the ticket {known} is running; give each its own"));
        }
        else if (_admission.Enter(tickets, command.LetIn) is not { } entered)
        {
            Refuse(tickets, new StorageError(StorageErrorCode.Busy, "stage", $"{_admission.WaitingCount} extractions are waiting already; ask again later"));
        }
        else
        {
            foreach (var layer in command.Layers) _waiting.Add(layer.Ticket, (layer, Sender, _environment.Time.GetTimestamp()));
            if (!command.LetIn) Context.WatchWith(Sender, new FlowEnded(Sender));
            Proceed(entered);
            foreach (var ticket in tickets.Where(_waiting.ContainsKey)) _environment.Publish(new StagingProgress(ticket, StagingPhase.Queued, 0, null, 0));
        }
    }

    private void Refuse(IEnumerable<TicketId> tickets, StorageError error)
    {
        foreach (var ticket in tickets) Sender.Tell(new Failed(ticket, error));
    }

    private void Proceed(Admission admission)
    {
        (_admission, var started) = admission.Proceed();
        foreach (var ticket in started)
        {
            _waiting.Remove(ticket, out var waiting);
            _environment.Metrics.Admitted(_environment.Time.GetElapsedTime(waiting.Since));
            var staging = Context.ActorOf(StagingActor.Props(waiting.Stage, waiting.Flow, _environment), ticket.Value);
            Context.WatchWith(staging, new StagingEnded(ticket));
            _running.Add(ticket, (staging, waiting.Flow));
        }
    }

    private void Forward(IForTicket command)
    {
        if (_running.TryGetValue(command.Ticket, out var running)) running.Staging.Forward(command);
        else Sender.Tell(new Failed(command.Ticket, new StorageError(StorageErrorCode.NotFound, "stage", $"nothing is staged with the ticket {command.Ticket}; it may have ended", Reason: StorageErrorReason.UnknownTicket)));
    }

    private void End(End command)
    {
        if (_running.TryGetValue(command.Ticket, out var running) && running.Flow.Equals(Sender))
        {
            running.Staging.Forward(command);
            return;
        }

        Sender.Tell(new Ended(command.Ticket));
        if (!_waiting.TryGetValue(command.Ticket, out var waiting) || !waiting.Flow.Equals(Sender)) return; // Refused, or another's.
        _waiting.Remove(command.Ticket);
        Proceed(_admission.Leave(command.Ticket));
    }

    /// <summary>A flow that has ended its ticket does not listen any more; one that has not hears it here.</summary>
    private void Ended(StagingEnded ended)
    {
        if (_running.Remove(ended.Ticket, out var running))
        {
            running.Flow.Tell(new Failed(ended.Ticket, new StorageError(StorageErrorCode.Internal, "stage", "the extraction ended by itself; the store's log has the stack")));
            running.Flow.Tell(new Ended(ended.Ticket)); // An End that it had not come to is answered, too.
        }

        Proceed(_admission.Leave(ended.Ticket));
    }

    private void Drop(IActorRef flow)
    {
        var admission = _admission;
        foreach (var (ticket, _) in _waiting.Where(waiting => waiting.Value.Flow.Equals(flow)).ToList())
        {
            _waiting.Remove(ticket);
            admission = admission.Leave(ticket);
        }

        Proceed(admission);
    }

    private sealed record StagingEnded(TicketId Ticket) : INoSerializationVerificationNeeded;

    private sealed record FlowEnded(IActorRef Flow) : INoSerializationVerificationNeeded;
}

/// <summary>What all stagings of a store share.</summary>
/// <param name="Operations">The driver operations' supervisor.</param>
/// <param name="Trash">Gets what is left of a staging.</param>
/// <param name="Limits">The store's, for each tar.</param>
/// <param name="Time">Measures how long an extraction takes.</param>
/// <param name="Publish">Tells whoever watches how far a ticket is.</param>
/// <param name="Metrics">Is told how long extractions wait for their turn.</param>
internal sealed record StagingEnvironment(
    IActorRef Operations, IActorRef Trash, ExtractionLimits Limits, TimeProvider Time, Action<StagingProgress> Publish, StoreMetrics Metrics);
