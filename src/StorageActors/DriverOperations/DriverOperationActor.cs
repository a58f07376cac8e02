using System.Diagnostics.CodeAnalysis;
using Akka.Actor;
using Akka.Event;
using StorageActors.Dispatching;
using StorageActors.Drivers;
using StorageActors.Protocol;

namespace StorageActors.DriverOperations;

/// <summary>
/// Runs blocking operations, one at a time: its parent gives it one, and another only when that has succeeded. Before an attempt throws, it tells its parent why; the restart that
/// follows leaves nothing of the attempt, and the parent gives it the same operation again, after a pause without a thread.
/// </summary>
internal sealed class DriverOperationActor : UntypedActor
{
    internal static Props Props(OperationLane lane) => EngineProps.Of(static () => new DriverOperationActor(), DispatcherOf(lane));

    /// <summary>The dispatcher of a lane, by its path in the configuration.</summary>
    internal static string DispatcherOf(OperationLane lane) => lane switch
    {
        OperationLane.Short => "storage-actors.driver-dispatcher",
        OperationLane.Content => "storage-actors.content-dispatcher",
        _ => "storage-actors.trash-dispatcher",
    };

    protected override void OnReceive(object message)
    {
        if (message is Job job) Run(job);
        else Unhandled(message);
    }

    /// <summary>The parent, which has counted the attempts, knows how long the pause is.</summary>
    protected override void PostRestart(Exception reason) => Context.Parent.Tell(Restarted.Instance);

    [SuppressMessage("Design", "CA1031", Justification = "Whatever an operation throws is sorted, told to the parent and thrown again.")]
    private void Run(Job job)
    {
        var started = job.Services.Time.GetTimestamp();
        try
        {
            job.Stop.ThrowIfCancellationRequested();
            var reply = job.Operation.Run(job.Attempt, job.Services, job.Stop);
            Measure(job, started, "completed");
            Context.Parent.Tell(new Succeeded(job.Key, reply));
        }
        catch (Exception thrown)
        {
            var sorted = Failure.Sort(thrown, job.Operation, job.Stop);
            var error = Failure.Describe(sorted, job.Operation);
            Measure(job, started, "failed");
            Log(sorted, error);
            Context.Parent.Tell(new AttemptFailed(job.Key, error));
            if (ReferenceEquals(sorted, thrown)) throw;
            throw sorted;
        }
    }

    private static void Measure(Job job, long started, string outcome) =>
        job.Services.Metrics.OperationEnded(job.Operation.Verb, outcome, job.Services.Time.GetElapsedTime(started));

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

    /// <summary>To the child: one attempt.</summary>
    internal sealed record Job(
        long Key, long Attempt, DriverOperation Operation, DriverServices Services, CancellationToken Stop) : INoSerializationVerificationNeeded;

    /// <summary>To the parent: done, and free for another operation.</summary>
    internal sealed record Succeeded(long Key, DriverProtocol.IReply Reply);

    /// <summary>To the parent, before the exception that says the same to its supervision.</summary>
    internal sealed record AttemptFailed(long Key, StorageError Error);

    /// <summary>To the parent: ready for another attempt.</summary>
    internal sealed record Restarted : INoSerializationVerificationNeeded
    {
        internal static readonly Restarted Instance = new();
    }
}
