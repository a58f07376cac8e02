using Akka.Actor;
using StorageActors.Archive.Apply;
using StorageActors.Dispatching;
using StorageActors.DriverOperations;
using StorageActors.Drivers;
using StorageActors.Protocol;
using StorageActors.Trash;
using static StorageActors.Staging.StagingProtocol;

namespace StorageActors.Staging;

/// <summary>
/// Owns one staging directory, from its making until the layer was renamed out of it or it was thrown away. It does one thing at a time, on threads that are
/// not its own; when it is ended, or its flow dies, it stops what runs and leaves nothing behind.
/// </summary>
internal sealed class StagingActor : ReceiveActor
{
    private readonly Stage _stage;
    private readonly IActorRef _flow;
    private readonly StagingEnvironment _environment;
    private readonly List<IActorRef> _enders = [];
    private Action<DriverProtocol.IReply>? _then;
    private long _attempt;
    private long _started;
    private bool _isOver;
    private ExtractionAdvanced _progress;

    public StagingActor(Stage stage, IActorRef flow, StagingEnvironment environment)
    {
        (_stage, _flow, _environment) = (stage, flow, environment);
        _progress = new ExtractionAdvanced(stage.Ticket, 0, 0);
        Receive<ExtractionAdvanced>(Advance);
        Receive<DriverProtocol.IReply>(Continue, reply => reply.Attempt == _attempt);
        Receive<DriverProtocol.IReply>(static _ => { }); // Of an attempt that was given up.
        Receive<Rebase>(command => Perform<IReadOnlyList<string>>(
            StagingPhase.Rebasing, new RebaseLayer(_stage.Ticket, command.Parents), warnings => _flow.Tell(new Rebased(_stage.Ticket, warnings))));
        Receive<Finish>(command => Perform<LayerRecord>(
            null, new FinishLayer(_stage.Ticket, command.Record, command.Documents), record => _flow.Tell(new Finished(_stage.Ticket, record))));
        Receive<Commit>(command => Perform<Nothing>(
            StagingPhase.Committing, new CommitLayer(_stage.Ticket, command.Parent, command.Durable), _ => _flow.Tell(new Committed(_stage.Ticket))));
        Receive<End>(_ =>
        {
            _enders.Add(Sender);
            End();
        });
        Receive<FlowDied>(_ => End());
    }

    internal static Props Props(Stage stage, IActorRef flow, StagingEnvironment environment) =>
        EngineProps.Of(() => new StagingActor(stage, flow, environment));

    protected override void PreStart()
    {
        Context.WatchWith(_flow, new FlowDied());
        _started = _environment.Time.GetTimestamp();
        var begin = new BeginLayer(_stage.Ticket, _stage.Layer, Writable: _stage.Source is null, _stage.Parents, _stage.Ids);
        Perform<Nothing>(StagingPhase.Extracting, begin, _ => Extract());
    }

    private void Extract()
    {
        if (_stage.Source is not { } source)
        {
            Staged(null);
            return;
        }

        var extract = new ExtractLayer(_stage.Ticket, source, _stage.Expect, _environment.Limits, Self);
        Perform<ExtractResult>(null, extract, Staged);
    }

    private void Staged(ExtractResult? result)
    {
        if (result is not null) _progress = new ExtractionAdvanced(_stage.Ticket, result.BlobSize, result.Entries);
        _flow.Tell(new Staged(_stage.Ticket, result, _environment.Time.GetElapsedTime(_started).TotalSeconds));
        Context.Parent.Tell(new TurnOver(_stage.Ticket));
    }

    private void Advance(ExtractionAdvanced progress)
    {
        if (_isOver || progress.BytesRead < _progress.BytesRead) return;
        _progress = progress;
        Publish(StagingPhase.Extracting);
    }

    private void Publish(StagingPhase phase) =>
        _environment.Publish(new StagingProgress(_stage.Ticket, phase, _progress.BytesRead, _stage.Source?.Length, _progress.Entries));

    private void Perform<T>(StagingPhase? phase, DriverOperation<T> operation, Action<T> then)
    {
        if (phase is { } entered) Publish(entered);
        _attempt = DriverProtocol.NextAttempt();
        _then = reply =>
        {
            if (reply is DriverProtocol.Completed<T> completed) then(completed.Result);
            else Fail(((DriverProtocol.Failed)reply).Error);
        };
        _environment.Operations.Tell(new DriverProtocol.Perform(_attempt, operation));
    }

    private void Continue(DriverProtocol.IReply reply)
    {
        var then = _then!;
        (_attempt, _then) = (0, null);
        if (_isOver) Discard();
        else then(reply);
    }

    private void Fail(StorageError error)
    {
        _flow.Tell(new Failed(_stage.Ticket, error));
        Context.Parent.Tell(new TurnOver(_stage.Ticket));
    }

    /// <summary>Nothing is thrown away under an operation that still works on it.</summary>
    private void End()
    {
        if (_isOver) return;
        _isOver = true;
        if (_attempt == 0) Discard();
        else _environment.Operations.Tell(new DriverProtocol.Cancel(_attempt));
    }

    private void Discard(bool last = false)
    {
        _attempt = DriverProtocol.NextAttempt();
        _then = null;
        _environment.Operations.Tell(new DriverProtocol.Perform(_attempt, new EndStaging(_stage.Ticket, last)));
        Become(() => Discarding(last));
    }

    /// <summary>When the directory cannot even be renamed at a second try, its lock is given back, and a sweep is to take it.</summary>
    private void Discarding(bool last)
    {
        Receive<DriverProtocol.IReply>(
            reply =>
            {
                if (reply is DriverProtocol.Failed && !last)
                {
                    Discard(last: true);
                    return;
                }

                if (reply is DriverProtocol.Completed<TrashedPath> { Result.Path: { } path }) _environment.Trash.Tell(new TrashProtocol.Collect(path));
                else if (reply is DriverProtocol.Failed) _environment.Trash.Tell(new TrashProtocol.SweepStaging());
                foreach (var ender in _enders) ender.Tell(new Ended(_stage.Ticket));
                Context.Stop(Self);
            },
            reply => reply.Attempt == _attempt);
        Receive<End>(_ => _enders.Add(Sender));
        ReceiveAny(static _ => { });
    }

    private sealed record FlowDied : INoSerializationVerificationNeeded;
}
