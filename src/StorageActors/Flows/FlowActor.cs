using Akka.Actor;
using StorageActors.Catalog;
using StorageActors.DriverOperations;
using StorageActors.Layers;
using StorageActors.Protocol;
using StorageActors.Store;

namespace StorageActors.Flows;

/// <summary>
/// Carries out one command of the store, step by step, and answers it once. It owns nothing but the command: what it reserves at the catalog, holds at a
/// layer or stages ends when it does, whatever happens. A step asks one neighbour and names what follows; nothing here waits.
/// </summary>
internal abstract class FlowActor : ReceiveActor
{
    private readonly Dictionary<long, Action<DriverProtocol.IReply>> _operations = [];
    private readonly IActorRef _requester;
    private Func<object, bool>? _awaited;
    private bool _isAnswered;
    private bool _isCancelled;

    protected FlowActor(FlowContext store, IActorRef requester, string operation)
    {
        (Store, _requester, Operation) = (store, requester, operation);
        Receive<DriverProtocol.IReply>(reply =>
        {
            if (_operations.Remove(reply.Attempt, out var then)) then(reply);
        });
        Receive<AbortFlow>(abort => Answer(new StoreProtocol.Refused(abort.Error)));
        Receive<StopFlow>(stop => OnStop(new StorageError(stop.Code, Operation, stop.Why)));
    }

    /// <summary>The verb of the command, for errors.</summary>
    protected string Operation { get; }

    protected FlowContext Store { get; }

    protected override void PreStart()
    {
        try
        {
            Start();
        }
        catch (StorageException e) when (JournalFailure.IsUnreadable(e))
        {
            Answer(new StoreProtocol.Refused(e.Error));
        }
    }

    /// <summary>A record that is read when it is first asked for may turn out to be unreadable: no defect of the flow.</summary>
    protected override bool AroundReceive(Receive receive, object message)
    {
        try
        {
            return base.AroundReceive(receive, message);
        }
        catch (StorageException e) when (JournalFailure.IsUnreadable(e))
        {
            if (!_isAnswered) Answer(new StoreProtocol.Refused(e.Error));
            return true;
        }
    }

    /// <summary>A flow that dies of a defect has answered nobody yet.</summary>
    protected override void PostStop()
    {
        if (_isAnswered) return;
        _requester.Tell(new StoreProtocol.Refused(
            new StorageError(StorageErrorCode.Internal, Operation, "the command ended by a defect of the store, or with the store; its log has the stack")));
    }

    protected abstract void Start();

    /// <summary>Somebody wants it to end: the caller, who cancels or died, or the engine that stops.</summary>
    protected virtual void OnStop(StorageError why)
    {
        // What takes milliseconds is done before anybody notices.
    }

    /// <summary>Has a blocking operation run. Without <paramref name="failed"/> its failure is the command's.</summary>
    protected long Perform<T>(DriverOperation<T> operation, Action<T> then, Action<StorageError>? failed = null)
    {
        var attempt = DriverProtocol.NextAttempt();
        _operations.Add(attempt, reply =>
        {
            if (reply is DriverProtocol.Completed<T> completed) then(completed.Result);
            else (failed ?? Refuse)(((DriverProtocol.Failed)reply).Error);
        });
        Store.Operations.Tell(new DriverProtocol.Perform(attempt, operation));
        if (_isCancelled) Store.Operations.Tell(new DriverProtocol.Cancel(attempt)); // Asked for before this one began.
        return attempt;
    }

    /// <summary>Asks a neighbour, one at a time. Without <paramref name="refused"/> its refusal is the command's.</summary>
    protected void Ask<T>(IActorRef neighbour, object question, Action<T> then, Action<StorageError>? refused = null)
    {
        if (_awaited is not null) throw new InvalidOperationException($"{Operation}: a question is open");
        _awaited = answer =>
        {
            switch (answer)
            {
                case T expected:
                    _awaited = null;
                    then(expected);
                    return true;
                case StoreProtocol.Refused refusal:
                    _awaited = null;
                    (refused ?? Refuse)(refusal.Error);
                    return true;
                default:
                    return false;
            }
        };
        neighbour.Tell(question);
    }

    /// <summary>The answer to the open question matters no more.</summary>
    protected void Abandon() => _awaited = null;

    /// <summary>Asks what runs for this command, and what it begins from now on, to stop; what can be stopped answers with a failure.</summary>
    protected void CancelOperations()
    {
        _isCancelled = true;
        foreach (var attempt in _operations.Keys) Store.Operations.Tell(new DriverProtocol.Cancel(attempt));
    }

    /// <summary>As <see cref="Ask{T}"/>, of a layer's actor.</summary>
    protected void AskLayer<T>(LayerRecord layer, object question, Action<T> then, Action<StorageError>? refused = null) =>
        Ask(Store.Layers, new LayerInternal.Deliver(Store.SetupOf(layer), question), then, refused);

    protected void TellLayer(LayerRecord layer, object message) => Store.Layers.Tell(new LayerInternal.Deliver(Store.SetupOf(layer), message));

    /// <summary>The command failed: what it holds is given back first.</summary>
    protected virtual void Refuse(StorageError error) => Finish(new StoreProtocol.Refused(error));

    /// <summary>Gives back what the catalog keeps for this flow, so that the caller's next command does not meet it; then answers.</summary>
    protected void Finish(object answer) => Ask<CatalogInternal.Freed>(Store.Catalog, new CatalogInternal.Free(), _ => Answer(answer));

    /// <summary>A stream that nobody is going to read would keep its writer waiting.</summary>
    protected void ReleaseUploads(IEnumerable<BlobSource?> sources)
    {
        foreach (var source in sources)
        {
            if (source?.Upload is not { } upload) continue;
            try
            {
                Store.Transfers.ClaimUpload(upload, CancellationToken.None).Dispose();
            }
            catch (StorageException)
            {
                // It was read, or never opened.
            }
        }
    }

    /// <summary>The one answer; the flow is over.</summary>
    protected void Answer(object answer)
    {
        _isAnswered = true;
        _requester.Tell(answer, Context.Parent);
        Context.Stop(Self);
    }

    protected override void Unhandled(object message)
    {
        if (_awaited?.Invoke(message) != true) base.Unhandled(message);
    }
}

/// <summary>To a flow: end, if that is possible still.</summary>
/// <param name="Code">What the caller is told.</param>
/// <param name="Why">In a few words.</param>
internal sealed record StopFlow(StorageErrorCode Code, string Why);

/// <summary>To a flow: a neighbour is gone that it may be waiting for; answer at once.</summary>
internal sealed record AbortFlow(StorageError Error);
