using System.Collections.Concurrent;
using Akka.Actor;
using Akka.Configuration;
using Akka.Dispatch;
using Akka.Event;

namespace StorageActors.EngineTests.Support;

/// <summary>
/// A scheduler whose time stands still: what an actor wants to be told later waits here until a test takes it. For
/// <c>akka.scheduler.implementation</c>.
/// </summary>
internal sealed class ManualScheduler(Config config, ILoggingAdapter log) : SchedulerBase(config, log)
{
    internal const string Setting = "akka.scheduler.implementation = \"StorageActors.EngineTests.Support.ManualScheduler, StorageActors.EngineTests\"";

    private readonly BlockingCollection<Waiting> _waiting = [];

    public override TimeSpan MonotonicClock => TimeSpan.Zero;

    public override TimeSpan HighResMonotonicClock => TimeSpan.Zero;

    protected override DateTimeOffset TimeNow => DateTimeOffset.UnixEpoch;

    /// <summary>The next thing that this actor has asked to be told later; waits until it has asked.</summary>
    internal Waiting TakeFor(IActorRef receiver)
    {
        while (_waiting.TryTake(out var next, Patient.Limit))
        {
            if (next.Receiver.Equals(receiver)) return next;
        }

        throw new TimeoutException($"{receiver} has asked for nothing");
    }

    protected override void InternalScheduleTellOnce(TimeSpan delay, ICanTell receiver, object message, IActorRef sender, ICancelable cancelable) =>
        _waiting.Add(new Waiting(delay, receiver, () => receiver.Tell(message, sender), cancelable));

    protected override void InternalScheduleTellRepeatedly(TimeSpan initialDelay, TimeSpan interval, ICanTell receiver, object message, IActorRef sender, ICancelable cancelable)
    {
        // What comes again and again does not come while time stands still.
    }

    protected override void InternalScheduleOnce(TimeSpan delay, Action action, ICancelable cancelable)
    {
        // Nor does this.
    }

    protected override void InternalScheduleOnce(TimeSpan delay, IRunnable action, ICancelable cancelable)
    {
        // Nor this.
    }

    protected override void InternalScheduleRepeatedly(TimeSpan initialDelay, TimeSpan interval, IRunnable action, ICancelable cancelable)
    {
        // Nor this.
    }

    protected override void InternalScheduleRepeatedly(TimeSpan initialDelay, TimeSpan interval, Action action, ICancelable cancelable)
    {
        // Nor this.
    }

    /// <summary>Something to be told later.</summary>
    internal sealed record Waiting(TimeSpan Delay, ICanTell Receiver, Action Tell, ICancelable? Cancelable);
}
