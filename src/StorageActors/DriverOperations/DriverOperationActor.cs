using System.Diagnostics.CodeAnalysis;
using Akka.Actor;
using Akka.Event;
using StorageActors.Dispatching;
using StorageActors.Drivers;
using StorageActors.Protocol;

namespace StorageActors.DriverOperations;

/// <summary>
/// One blocking operation, and nothing else: it is in the actor's <see cref="Props"/>, so a restart is a retry. Before it throws, it tells its parent
/// why. A retry begins when the parent says so, after a pause without a thread.
/// </summary>
internal sealed class DriverOperationActor : UntypedActor
{
    private readonly Job _job;

    public DriverOperationActor(Job job) => _job = job;

    internal static Props Props(Job job) => EngineProps.Of(() => new DriverOperationActor(job), DispatcherOf(job.Operation.Lane));

    /// <summary>The dispatcher of a lane, by its path in the configuration.</summary>
    internal static string DispatcherOf(OperationLane lane) => lane switch
    {
        OperationLane.Short => "storage-actors.driver-dispatcher",
        OperationLane.Content => "storage-actors.content-dispatcher",
        _ => "storage-actors.trash-dispatcher",
    };

    protected override void OnReceive(object message)
    {
        if (message is Execute) Run();
        else Unhandled(message);
    }

    protected override void PreStart() => Self.Tell(Execute.Instance);

    /// <summary>In place of <see cref="PreStart"/>: the parent, which has counted the attempts, knows how long the pause is.</summary>
    protected override void PostRestart(Exception reason) => Context.Parent.Tell(new Restarted(_job.Key));

    [SuppressMessage("Design", "CA1031", Justification = "Whatever an operation throws is sorted, told to the parent and thrown again.")]
    private void Run()
    {
        var started = _job.Services.Time.GetTimestamp();
        try
        {
            _job.Stop.ThrowIfCancellationRequested();
            var reply = _job.Operation.Run(_job.Attempt, _job.Services, _job.Stop);
            Measure(started, "completed");
            Context.Parent.Tell(new Succeeded(_job.Key, reply));
            Context.Stop(Self);
        }
        catch (Exception thrown)
        {
            var sorted = Failure.Sort(thrown, _job.Operation, _job.Stop);
            var error = Failure.Describe(sorted, _job.Operation);
            Measure(started, "failed");
            Log(sorted, error);
            Context.Parent.Tell(new AttemptFailed(_job.Key, error));
            if (ReferenceEquals(sorted, thrown)) throw;
            throw sorted;
        }
    }

    private void Measure(long started, string outcome) =>
        _job.Services.Metrics.OperationEnded(_job.Operation.Verb, outcome, _job.Services.Time.GetElapsedTime(started));

    private void Log(Exception exception, StorageError error)
    {
        var log = Context.GetLogger();
        switch (exception)
        {
            case TransientDriverException: log.Info("{0}; it will be tried again", error); break;
            case PermanentDriverException: log.Info("{0}", error); break;
            case StoreCorruptException: log.Error("{0}", error); break;
            default: log.Error(exception, "{0}", error); break;
        }
    }

    /// <summary>What one of these actors is for.</summary>
    internal sealed record Job(
        long Key, long Attempt, DriverOperation Operation, DriverServices Services, CancellationToken Stop);

    /// <summary>To the parent: done.</summary>
    internal sealed record Succeeded(long Key, DriverProtocol.IReply Reply);

    /// <summary>To the parent, before the exception that says the same to its supervision.</summary>
    internal sealed record AttemptFailed(long Key, StorageError Error);

    /// <summary>To the parent: ready for another attempt.</summary>
    internal sealed record Restarted(long Key);

    /// <summary>To the child: begin.</summary>
    internal sealed record Execute : INoSerializationVerificationNeeded
    {
        internal static readonly Execute Instance = new();
    }
}
